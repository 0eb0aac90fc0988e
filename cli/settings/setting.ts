/** A setting, as help, documents and `--print-config` show it. `In`: what holds its value. */
export interface Setting<In> {
  name: string;
  default: string;
  help: string;
  /** Its value in force, as text. */
  shown(settings: In): string;
  /** The setting without which this one is not used. */
  needs?: 'INFLUX_URL' | 'TILLWATCH_API_URL';
  secret?: boolean;
}

const MASK = '********';

/** The settings in force, one a line, with secrets masked; of one that is not used a comment says so. */
export function settingLines<In>(all: readonly Setting<In>[], settings: In): string[] {
  const isBlank = (wanted: string) => all.find(({ name }) => name === wanted)!.shown(settings) === '';
  return all.map(({ name, secret, shown, needs }) => {
    if (needs && isBlank(needs)) return `# ${name} is not used without ${needs}`;
    const text = shown(settings);
    return `${name}=${secret && text !== '' ? MASK : withoutPassword(text)}`;
  });
}

/** What stands between the scheme and the @ of an address, masked but for the user's name. */
export function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^/?#:@]*):[^/?#]*@/g, `$1:${MASK}@`);
}
