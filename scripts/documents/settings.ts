import { AGENT_SETTINGS, type AgentConfig } from '../../agent/config.ts';
import { AGENT_HELP } from '../../cli/commands/agent.ts';
import { SETTINGS } from '../../cli/config.ts';
import { table } from './markdown.ts';

/** docs/settings.md, from the settings that the commands read. */
export function settingsPage(): string {
  const product = SETTINGS.map(({ name, default: value, help, secret }) => [
    `\`${name}\`${secret ? `, \`${name}_FILE\`` : ''}`,
    value === '' ? '' : `\`${value}\``,
    help,
  ]);
  const agent = (Object.keys(AGENT_SETTINGS) as (keyof AgentConfig)[]).map((key) => [
    `\`${AGENT_SETTINGS[key]}\`${key === 'token' ? `, \`${AGENT_SETTINGS[key]}_FILE\`` : ''}`,
    AGENT_HELP[key].flag === undefined ? '' : `\`${AGENT_HELP[key].flag}\``,
    AGENT_HELP[key].help,
  ]);
  return `<!-- Generated from the code: npm run generate -->
# Which settings are there?

All of them are environment variables; a blank one counts as unset. A secret may be given as a file, in \`NAME_FILE\`. All mistakes are
named at once, before anything starts; \`tillwatch start --print-config\` prints what is in force, secrets masked.

## The product

${table(['setting', 'default', 'what it is'], product)}

## The agent

On a terminal: \`tillwatch agent run\`, or the bundle \`dist/agent/tillwatch-agent.mjs\`. A flag stands over its setting.

${table(['setting', 'flag', 'what it is'], agent)}
`;
}
