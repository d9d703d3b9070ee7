import type { ServiceName } from '../system.ts';
import type { ServiceVariable } from './service-variables.ts';

const widest = 110;

/** A comment of as many lines as it takes. */
function comment(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length < widest) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(` ${word}`);
  }
  return lines.map(line => `#${line}`);
}

function entry({ name, isRequired, default: value, oneOf, is }: ServiceVariable): string {
  const values = oneOf.length > 0 ? [`One of ${oneOf.join(', ')}.`] : [];
  const line = isRequired ? `${name}=` : `# ${name}=${value ?? ''}`;
  return [...comment([`${is}.`, ...values].join(' ')), line].join('\n');
}

/** services/<name>/.env.example: what has to be set first, then what may be, each with its default. */
export function envExample(name: ServiceName, variables: readonly ServiceVariable[]): string {
  const [required, optional] = [true, false].map(wanted =>
    variables.filter(({ isRequired }) => isRequired === wanted).map(entry),
  );
  return `${[
    `# The environment of ${name}. Generated from src/config.ts by \`npm run generate\`.`,
    '# Without any of these it does not start:',
    ...(required ?? []),
    '# These may be set; what stands here is the default:',
    ...(optional ?? []),
  ].join('\n\n')}\n`;
}
