/** Where a command reads and writes: data to `out`, everything else to `say`. */
export interface Io {
  out(line: string): void;
  /** Many lines of data, no faster than whoever reads them takes them. */
  pour(lines: Iterable<string>): Promise<void>;
  say(line: string): void;
  stdin: NodeJS.ReadableStream;
  env: Record<string, string | undefined>;
  /** Shows how far a long command has come, in place of what it showed before; absent where no terminal shows it. */
  progress?: (text: string) => void;
}

const FILE_PROBLEMS: Record<string, (path: string) => string> = {
  ENOENT: (path) => `there is no file ${path}`,
  EISDIR: (path) => `${path} is a folder: name a file`,
  EACCES: (path) => `${path} may not be read: give this user the right to, or run as its owner`,
};

/** What the system says of a file that cannot be read, as one line that names it. */
export function unreadable(path: string, error: unknown): CliError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new CliError(FILE_PROBLEMS[code]?.(path) ?? `${path} cannot be read (${code || message})`);
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
