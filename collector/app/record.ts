import { createWriteStream } from 'node:fs';

export interface RecordFile {
  write(line: string): void;
  close(): Promise<void>;
}

/** For a person to replay, so it is as durable as a file is: what counts is in the logs. */
export function openRecord(path: string): RecordFile {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  return {
    write: (line) => void stream.write(`${line}\n`),
    close: () => new Promise<void>((done) => stream.end(() => done())),
  };
}
