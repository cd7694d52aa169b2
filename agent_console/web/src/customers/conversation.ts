import type { InteractionLine } from '../api/customers';

/**
 * A conversation as one line: it began as its first contact did, was with everybody who had the customer, and came to
 * what the last of them said. What was recorded and measured stands with the parts.
 */
export function asOne(first: InteractionLine, parts: readonly InteractionLine[]): InteractionLine {
  const all = [first, ...parts];
  const said = all.findLast((each) => each.disposition !== null || each.notes);
  const names = all.map((each) => each.agent_name).filter((name) => name !== null);
  const inTurn = names.filter((name, index) => name !== names[index - 1]);
  return {
    ...first,
    agent_name: inTurn.length > 0 ? inTurn.join(' → ') : null,
    talk_ms: all.reduce((sum, each) => sum + each.talk_ms, 0),
    disposition: said?.disposition ?? null,
    notes: said?.notes ?? null,
    recordings: [],
    transcripts: [],
    lines: [],
  };
}
