// What a plain scalar reads as when it is no string, in YAML 1.1 (go-yaml and so Kubernetes, Helm and Fleet; PyYAML) or in
// the core schema of YAML 1.2. A name or tag of that look has to be quoted to stay text.
const KEYWORDS = new Set(
  ['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null'].flatMap((word) => [
    word,
    word.toUpperCase(),
    `${word.charAt(0).toUpperCase()}${word.slice(1)}`,
  ]),
);
const NUMBER = /^[-+]?(?:0b[-+]?[01]+|0o[-+]?[0-7]+|0x[0-9a-f]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i;
const NAMED_NUMBER = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const SEXAGESIMAL = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?$/;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}$/;
const NULL = /^(?:~|null|Null|NULL)?$/;

/** Whether unquoted `text` reads as null. */
export function readsAsNull(text: string): boolean {
  return NULL.test(text);
}

/** Whether unquoted `text` reads as null, a boolean or a number to any YAML parser in use. */
export function readsAsOtherType(text: string): boolean {
  if (readsAsNull(text) || KEYWORDS.has(text)) return true;
  // Underscores may stand anywhere in a number but at its head.
  const digits = text.startsWith('_') ? text : text.replaceAll('_', '');
  return NUMBER.test(digits) || NAMED_NUMBER.test(text) || SEXAGESIMAL.test(text);
}

/** Whether unquoted `text` reads as a date in YAML 1.1. Kubernetes and Helm take it as a string all the same. */
export function readsAsDate(text: string): boolean {
  return DATE.test(text);
}
