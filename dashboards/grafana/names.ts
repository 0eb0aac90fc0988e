/** Names that people's own dashboards and bookmarks build on: they stay. */
export const DATA_SOURCE_UID = 'tillwatch-influxdb';
export const FLEET_NOW_UID = 'tillwatch-fleet-now';
export const TERMINAL_UID = 'tillwatch-terminal';
