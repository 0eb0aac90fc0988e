/** Where a command reads and writes: data to `out`, everything else to `say`. */
export interface Io {
  out(line: string): void;
  say(line: string): void;
  stdin: NodeJS.ReadableStream;
  env: Record<string, string | undefined>;
}

/** A failure that one line explains. Exit 1, or 2 where the command was used wrongly. */
export class CliError extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
