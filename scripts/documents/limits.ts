import { LIMIT_NAMES, LIMITS } from '../../broker/limits/table.ts';
import { table } from './markdown.ts';

/** docs/limits.md, from the broker's own table. */
export function limitsPage(): string {
  const rows = LIMIT_NAMES.map((name) => {
    const limit = LIMITS[name];
    const amount = limit.default === 0 ? 'none' : String(limit.default);
    return [`\`${name}\``, amount, limit.unit, limit.does, 'setting' in limit ? `\`${limit.setting}\`` : ''];
  });
  return `<!-- Generated from the code: npm run generate -->
# Which limits has the broker, and what does each do?

${table(['limit', 'default', 'of what', 'what it does', 'setting (0 is none)'], rows)}

What a limit did is counted under its name, since the start: in \`tillwatch_broker_limits_total\` of \`/metrics\`, and retained under
\`$SYS/{node}/limits/{limit}\` for monitoring tools, as \`{"limit":1000,"acted":17}\`. Refusals are listed in quarantine with who, why and from where.

**Waiting is never losing.** Where a limit makes a client wait, its connection is read no further but for 16 KiB: TCP then holds it up, and the terminal
keeps what has no PUBACK. It is not taken for silent meanwhile. A period's amount may be used at once; what came in one read beyond it is taken,
and made up for.

**One acquirer's storm does not starve another.** Where the log is the bottleneck, what waits for it is bounded for each acquirer by the room
that is left, so a second one always finds some; those that wait are read again one of each acquirer in turn. Set \`acquirer_packets\` where
acquirers share a machine that one alone could keep busy.

**Failed log-ins** are limited for the work that they make: a token cannot be guessed. Expired and revoked tokens were ours and count as no
failure. Addresses are those of the connections: behind a balancer that hides them, all terminals have one, so set \`address_failures\`
to 0 there. The limit of a name never stops a right log-in from an address without recent failures. 10 000 addresses and as many names are
remembered; of more, the oldest are forgotten.
`;
}
