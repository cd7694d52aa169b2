// Writes src/wire.ts from the server's own schema, so that the browser cannot disagree with it unnoticed.
//
//   npm run types          write the file
//   npm run types:check    fail when the committed file is not what the schema says
//
// The schema is what `python -m agent_console.schema` prints; PYTHON names the interpreter (default: python3).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '..', 'src', 'wire.ts');
const repository = join(here, '..', '..', '..');

function schema() {
  const python = process.env.PYTHON ?? 'python3';
  return JSON.parse(execFileSync(python, ['-m', 'agent_console.schema'], { cwd: repository, encoding: 'utf8' }));
}

function typeOf(node) {
  if (node.$ref) return node.$ref.split('/').at(-1);
  if (node.const !== undefined) return literal(node.const);
  if (node.enum) return node.enum.map(literal).join(' | ');
  const alternatives = node.anyOf ?? node.oneOf;
  if (alternatives) return alternatives.map(typeOf).join(' | ');
  if (node.type === 'array') return arrayOf(typeOf(node.items ?? {}));
  if (node.type === 'object') return `Readonly<Record<string, ${typeOf(node.additionalProperties ?? {})}>>`;
  if (node.type === 'integer') return 'number';
  return node.type ?? 'unknown';
}

const literal = (value) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));
const arrayOf = (type) => (type.includes('|') ? `readonly (${type})[]` : `readonly ${type}[]`);
const comment = (text, indent = '') => (text ? `${indent}/** ${text.replace(/\s+/g, ' ').trim()} */\n` : '');

function declaration([name, node]) {
  const head = comment(node.description);
  if (!node.properties) return `${head}export type ${name} = ${typeOf(node)};\n`;
  const required = new Set(node.required ?? []);
  const fields = Object.entries(node.properties).map(([field, value]) => {
    const mark = required.has(field) ? '' : '?';
    return `${comment(value.description, '  ')}  readonly ${field}${mark}: ${typeOf(value)};\n`;
  });
  return `${head}export interface ${name} {\n${fields.join('')}}\n`;
}

const banner = '// Generated from the server by `npm run types`. Do not edit.\n';
const text = [banner, ...Object.entries(schema().$defs).map(declaration)].join('\n');

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('src/wire.ts is not what the server says: run `npm run types`.');
  process.exit(1);
}
