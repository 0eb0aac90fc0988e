import { AGENT_SETTINGS, type AgentConfig } from '../../agent/config.ts';
import { AGENT_HELP, agentDefault } from '../../cli/commands/agent.ts';
import { SETTINGS } from '../../cli/config.ts';
import { table } from './markdown.ts';

/** docs/settings.md, from the settings that the commands read. */
export function settingsPage(): string {
  const code = (text: string) => (text === '' ? '' : `\`${text}\``);
  const product = SETTINGS.map(({ name, default: value, help, secret }) => [
    `\`${name}\`${secret ? `, \`${name}_FILE\`` : ''}`,
    code(value),
    help,
  ]);
  const agent = (Object.keys(AGENT_SETTINGS) as (keyof AgentConfig)[]).map((key) => [
    `\`${AGENT_SETTINGS[key]}\`${key === 'token' ? `, \`${AGENT_SETTINGS[key]}_FILE\`` : ''}`,
    code(AGENT_HELP[key].flag ?? ''),
    code(agentDefault(key)),
    AGENT_HELP[key].help,
  ]);
  return `<!-- Generated from the code: npm run generate -->
# Which settings are there?

All of them are environment variables; a blank one counts as unset. A secret may be given as a file, in \`NAME_FILE\`. All mistakes are
named at once, before anything starts, and so is every other \`TILLWATCH_…\` variable, which has no effect. \`tillwatch start --print-config\`
prints what is in force, secrets masked.

## The product

${table(['setting', 'default', 'what it is'], product)}

## The agent

On a terminal: \`tillwatch agent run\`, or the bundle \`dist/agent/tillwatch-agent.mjs\`. A flag stands over its setting.

${table(['setting', 'flag', 'default', 'what it is'], agent)}
`;
}
