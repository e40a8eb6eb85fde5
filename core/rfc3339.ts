const FORM =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[Tt ](?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d+))?(?:[Zz]|(?<sign>[+-])(?<zoneHour>\d\d):(?<zoneMinute>\d\d))$/;

/**
 * Reads a date and time of RFC 3339, section 5.6. `Date.parse` takes much else as well: `5` is May 2001 to it, the 30th of February the
 * 2nd of March, and a time without a zone is that of the machine.
 *
 * @returns milliseconds since the epoch, what is finer cut off; undefined when it is not of that form, or there is no such time
 */
export function parseRFC3339(text: string): number | undefined {
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const part = (name: string): number => Number(parts[name] ?? 0);
  const date = midnight(part('year'), part('month'), part('day'));
  // Leap seconds are left out, as Go's time.Parse leaves them out.
  const isTime = part('hour') < 24 && part('minute') < 60 && part('second') < 60;
  const isZone = part('zoneHour') < 24 && part('zoneMinute') < 60;
  if (date === undefined || !isTime || !isZone) return undefined;
  const milliseconds = Number((parts['fraction'] ?? '').slice(0, 3).padEnd(3, '0'));
  const zone = (parts['sign'] === '-' ? -1 : 1) * (part('zoneHour') * 60 + part('zoneMinute'));
  return date + ((part('hour') * 60 + part('minute') - zone) * 60 + part('second')) * 1000 + milliseconds;
}

/** @returns undefined where the month has no such day */
function midnight(year: number, month: number, day: number): number | undefined {
  // Date.UTC takes the years before 100 for those of the 20th century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}
