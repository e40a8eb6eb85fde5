import type { Command, Help, HelpConfiguration } from 'commander';

/** How ImageScans are named, for the help of the verbs that take names. */
export const NAMING = `NAME is the ImageScan of that name, else Rancher Fleet's of that name, else the only one in the namespace with that
tagName. imagescan.fleetscan.io/NAME and imagescan.fleet.cattle.io/NAME say exactly which.`;

/** Help in kubectl's order: what it does, with examples; commands; options; usage; where there is more. */
export const KUBECTL_HELP: HelpConfiguration = {
  showGlobalOptions: true,
  subcommandTerm: (command) => command.name(),
  formatHelp: (command, helper) => {
    const sections = [
      paragraphs(helper.commandDescription(command), helper),
      list('Available Commands:', commandItems(command, helper), command, helper),
      list('Arguments:', argumentItems(command, helper), command, helper),
      list('Options:', optionItems(helper.visibleOptions(command), helper), command, helper),
      list(
        'Options of all commands:',
        optionItems(helper.visibleGlobalOptions(command), helper),
        command,
        helper,
      ),
      `Usage:\n  ${helper.commandUsage(command)}`,
      command.commands.length > 0
        ? `Use "${pathOf(command)} <command> --help" for more about a command.`
        : '',
    ];
    return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
  },
};

/** A command as it is typed, those above it first. */
function pathOf(command: Command): string {
  const above = command.parent;
  return above === null ? command.name() : `${pathOf(above)} ${command.name()}`;
}

/** Text is fitted to the width; examples are not, so that they can be copied. */
function paragraphs(text: string, helper: Help): string {
  return text
    .split('\n\n')
    .map((paragraph) => {
      const isExample = /^ /m.test(paragraph);
      return isExample ? paragraph : helper.boxWrap(paragraph.replaceAll('\n', ' '), helper.helpWidth ?? 80);
    })
    .join('\n\n');
}

type Item = readonly [term: string, description: string];

function commandItems(command: Command, helper: Help): Item[] {
  return helper
    .visibleCommands(command)
    .map((verb) => [helper.subcommandTerm(verb), helper.subcommandDescription(verb)]);
}

function argumentItems(command: Command, helper: Help): Item[] {
  return helper
    .visibleArguments(command)
    .map((argument) => [helper.argumentTerm(argument), helper.argumentDescription(argument)]);
}

function optionItems(options: ReturnType<Help['visibleOptions']>, helper: Help): Item[] {
  return options.map((option) => [helper.optionTerm(option), helper.optionDescription(option)]);
}

function list(heading: string, items: readonly Item[], command: Command, helper: Help): string {
  if (items.length === 0) return '';
  const width = helper.padWidth(command, helper);
  return [
    heading,
    ...items.map(([term, description]) => helper.formatItem(term, width, description, helper)),
  ].join('\n');
}
