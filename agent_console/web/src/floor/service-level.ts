import type { QueueView } from '../wire';

/**
 * The share of today's finished waits that ended with an answer within the target: answered in target over answered
 * plus abandoned. Those who still wait count when their wait is over. `null` while nobody has finished waiting.
 */
export function serviceLevel(queue: Pick<QueueView, 'answered' | 'abandoned' | 'answered_in_target'>): number | null {
  const finished = queue.answered + queue.abandoned;
  return finished === 0 ? null : queue.answered_in_target / finished;
}
