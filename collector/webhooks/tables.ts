/** Where the webhooks' state keeps what, and under which keys. */
import { newestFirst, numberKey } from '../rows.ts';

export const ENDPOINTS = 'webhook-endpoints';
/** Events by endpoint and sequence; those that wait for delivery have a row in WAITING, too. */
export const EVENTS = 'webhook-events';
export const WAITING = 'webhook-waiting';
/** The alerts that an endpoint was told of, and not yet of their end. */
export const TOLD = 'webhook-told';
/** Every attempt, the newest first. */
export const DELIVERIES = 'webhook-deliveries';
/** How far the watch's outbox has been read. */
export const CURSOR = 'webhook-cursor';

/** All keys of an endpoint's rows begin so. */
export const prefixOf = (endpoint: string) => `${endpoint}.`;
export const endpointOf = (key: string) => key.slice(0, key.indexOf('.'));
export const eventKey = (endpoint: string, sequence: number) => prefixOf(endpoint) + numberKey(sequence);
export const toldKey = (endpoint: string, alert: string) => prefixOf(endpoint) + alert;
export const deliveryKey = (endpoint: string, { at, id, attempt }: { at: number; id: string; attempt: number }) =>
  `${prefixOf(endpoint)}${newestFirst(at, id)}.${attempt}`;
