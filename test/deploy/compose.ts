/** docker-compose.yml and Dockerfile, read for tests. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Service {
  image: string;
  build?: string;
  command?: string[];
  pid?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
}

export interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

export const textOf = (name: string) => readFileSync(`${ROOT}/${name}`, 'utf8');

export const compose = parse(textOf('docker-compose.yml'), { merge: true }) as Compose;

/** A service by its name. Errors: throws where there is none. */
export function service(name: string): Service {
  const found = compose.services[name];
  if (!found) throw new Error(`there is no service ${name}`);
  return found;
}

/** The services that run our own image. */
export const ours = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);

/** The instructions of a kind in the Dockerfile, each as one line. */
export function instructions(kind: string): string[] {
  const lines = textOf('Dockerfile').replaceAll('\\\n', ' ').split('\n');
  return lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1).trim());
}

/** The variables that the Dockerfile sets in the image. */
export const imageEnvironment = Object.fromEntries(
  instructions('ENV').flatMap((line) => line.split(/\s+/).map((pair) => pair.split('=') as [string, string])),
);
