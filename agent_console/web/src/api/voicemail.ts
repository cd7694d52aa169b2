import { get } from './http';

/** A message that a caller left. `box` is a queue or an agent. */
export interface Voicemail {
  readonly recording_id: string;
  readonly contact_id: string;
  readonly box: string;
  readonly caller: string;
  readonly caller_name: string;
  readonly left_at: string;
  readonly duration_ms: number | null;
  readonly is_playable: boolean;
}

export const openVoicemail = (signal?: AbortSignal) => get<readonly Voicemail[]>('/api/v1/voicemail', signal);
