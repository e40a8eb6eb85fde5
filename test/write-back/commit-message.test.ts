import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTemplate, commitMessage, TemplateError } from '../../write-back/commit-message.ts';
import { DATA, editOf } from './edits.ts';

const LONE = String.fromCharCode(0xd800);

describe('the message of a commit', () => {
  for (const [template, want] of [
    [undefined, 'Update from image update automation\n'],
    [null, 'Update from image update automation\n'],
    ['', 'Update from image update automation\n'],
    ['{{/* nothing */}}', 'Update from image update automation\n'],
    ['chore: images', 'chore: images\n'],
    ['\n\n  \nchore: images  \n\n', 'chore: images\n'],
    ['a\r\nb\rc', 'a\nb\nc\n'],
    ['<!-- Fleet drops this -->x', '<!-- Fleet drops this -->x\n'],
    [`a${LONE}b`, 'a\ufffdb\n'],
    ['{{.}}', 'Update images: web 1.2.3 → 1.2.4, redis 7.4 → 8.0\n'],
    ['{{.GitRepo}} {{.GitRepo.Namespace}} {{.GitRepo.Name}}', 'team/apps team apps\n'],
    [
      '{{range .Changes}}{{.File}}:{{.Line}} {{.Object}} {{.Scan}} {{.TagName}} {{.OldTag}} {{.NewTag}} {{.Image}} {{trunc 9 .Digest}}\n{{end}}',
      'web.yaml:19 Deployment/shop/web team/web web 1.2.3 1.2.4 example/web sha256:aa\nvalues.yaml:3 Deployment/shop/web team/web web 1.2.3 1.2.4 example/web sha256:aa\nvalues.yaml:9  team/redis redis 7.4 8.0 redis sha256:bb\n',
    ],
    [
      '{{range .Changes}}{{.}}; {{end}}',
      'example/web:1.2.3 -> example/web:1.2.4; 1.2.3 -> 1.2.4; redis:7.4 -> redis:8.0;\n',
    ],
    [
      '{{range .Images}}{{.}} {{.Name}} {{.Tag}} {{.Old}}{{.Old | join "/"}} {{end}}',
      'example/web:1.2.4 example/web 1.2.4 [1.2.3]1.2.3 redis:8.0 redis 8.0 [7.4]7.4\n',
    ],
    [
      '{{range .Changes}}{{with .Object}}{{.Kind}} {{.Name}}{{else}}no object{{end}};{{end}}',
      'Deployment web;Deployment web;no object;\n',
    ],
  ] as const) {
    it(`of ${JSON.stringify(template)}`, () => assert.equal(commitMessage(template, DATA), want));
  }

  it("of Flux's own example, https://fluxcd.io/flux/components/image/imageupdateautomations/", () => {
    const template = [
      'Automated image update',
      '',
      'Automation name: {{ .AutomationObject }}',
      '',
      'Files:',
      '{{ range $filename, $_ := .Changed.FileChanges -}}',
      '- {{ $filename }}',
      '{{ end -}}',
      '',
      'Objects:',
      '{{ range $resource, $changes := .Changed.Objects -}}',
      '- {{ $resource.Kind }} {{ $resource.Name }}',
      '  Changes:',
      '{{- range $_, $change := $changes }}',
      '    - {{ $change.OldValue }} -> {{ $change.NewValue }}',
      '{{ end -}}',
      '{{ end -}}',
    ].join('\n');
    const want = [
      'Automated image update',
      '',
      'Automation name: team/apps',
      '',
      'Files:',
      '- values.yaml',
      '- web.yaml',
      'Objects:',
      '-  ',
      '  Changes:',
      '    - redis:7.4 -> redis:8.0',
      '- Deployment web',
      '  Changes:',
      '    - example/web:1.2.3 -> example/web:1.2.4',
      '',
      '    - 1.2.3 -> 1.2.4',
      '',
    ].join('\n');
    assert.equal(commitMessage(template, DATA), want);
  });

  it("of Flux's other fields", () => {
    const template =
      '{{ len .Changed.Changes }} {{ (index .Changed.Changes 1).Setter }} {{ .Values.x }}{{ len .Values }} {{ range $f, $o := .Changed.FileChanges }}{{ $f }}{{ range $k, $v := $o }}({{ $k }}:{{ len $v }}){{ end }}{{ end }}';
    assert.equal(
      commitMessage(template, DATA),
      '3 web:tag <no value>0 values.yaml(:1)(Deployment/shop/web:1)web.yaml(Deployment/shop/web:1)\n',
    );
  });

  it('names each change once, as Flux does, and as often as it was made, as we do', () => {
    const edits = [editOf(), editOf({ file: 'other.yaml' })];
    const template = '{{ len .Changed.Changes }} {{ len .Changes }} {{ len .Images }}';
    assert.equal(commitMessage(template, { ...DATA, edits }), '1 2 1\n');
  });

  it('is cut off, and not refused, when it is too long', () => {
    const edits = Array.from({ length: 5000 }, (_, index) => editOf({ file: `app-${index}.yaml` }));
    const message = commitMessage('Images\n\n{{ range .Changes }}- {{ .File }}: {{ . }}\n{{ end }}', {
      ...DATA,
      edits,
    });
    assert.ok(message.length <= 64 * 1024 + 2);
    assert.ok(message.startsWith('Images\n\n- app-0.yaml: example/web:1.2.3 -> example/web:1.2.4\n'));
    assert.ok(message.endsWith(' -> example/web:1.2.4\n…\n'));
  });
});

describe('a mistake in a message template', () => {
  for (const [template, message] of [
    [
      '{{ .Updated.Images }}',
      'line 1, column 4: .Updated is no longer there: use .Changes or .Images, or .Changed.Objects',
    ],
    ['{{ .Changed.ImageResult }}', 'line 1, column 4: .ImageResult is no longer there: use .Changes'],
    [
      '{{ range .Changes }}{{ .Tag }}{{ end }}',
      'line 1, column 24: a change has no field .Tag; it has .File, .Line, .Object, .Scan, .TagName, .Old',
    ],
    ['{{ now }}', 'line 1, column 4: there is no function now; there are '],
    [
      '{{ .Nothing }}',
      'line 1, column 4: the data has no field .Nothing; it has .AutomationObject, .Changed, .Values, .GitRepo, .Changes, .Images',
    ],
  ] as const) {
    it(`is found before there is anything to write: ${template}`, () => {
      const want = `spec.imageScanCommit.messageTemplate, ${message}`;
      const isSo = (error: unknown): boolean =>
        error instanceof TemplateError && error.code === 'InvalidTemplate' && error.message.startsWith(want);
      assert.throws(() => checkTemplate(template), isSo);
      assert.throws(() => commitMessage(template, DATA), isSo);
    });
  }

  it('is a NUL', () => {
    assert.throws(() => commitMessage('{{ "\\x00" }}', DATA), /messageTemplate gives a NUL/);
    assert.throws(() => checkTemplate('a\0b'), /messageTemplate gives a NUL/);
  });

  it('is what takes too long', () => {
    assert.throws(() => checkTemplate('{{ range 99999999999 }}{{ end }}'), /too costly: it takes more than/);
  });

  it('is none in plain text, nor in nothing', () => {
    for (const template of [undefined, null, '', 'chore: images', 'a } b { c']) checkTemplate(template);
  });
});

describe('a sign-off', () => {
  const signOff = { name: 'Ann', email: 'ann@example.com' };
  const line = 'Signed-off-by: Ann <ann@example.com>';
  for (const [message, want] of [
    ['Update', `Update\n\n${line}\n`],
    ['Update\n\nWhy so.', `Update\n\nWhy so.\n\n${line}\n`],
    ['fix: this', `fix: this\n\n${line}\n`],
    ['Update\n\nRefs: #1\nChange-Id: I12\n', `Update\n\nRefs: #1\nChange-Id: I12\n${line}\n`],
    ['Update\n\nRefs: #1\n  and more', `Update\n\nRefs: #1\n  and more\n${line}\n`],
    ['Update\n\nNot all: are\ntrailers', `Update\n\nNot all: are\ntrailers\n\n${line}\n`],
    [`Update\n\n${line}`, `Update\n\n${line}\n`],
    [`Update\n\n${line}\nRefs: #1`, `Update\n\n${line}\nRefs: #1\n`],
  ] as const) {
    it(`after ${JSON.stringify(message)}`, () =>
      assert.equal(commitMessage(message, DATA, { signOff }), want));
  }

  it('is one line, whatever the name', () => {
    const message = commitMessage('Update', DATA, { signOff: { name: 'A\nB <x>', email: ' a@b>\n' } });
    assert.equal(message, 'Update\n\nSigned-off-by: AB x <a@b>\n');
  });
});
