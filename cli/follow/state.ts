import type { LiveProgress, WorkflowDetail, WorkflowStatus } from '../../contracts/api.ts';
import type { StreamItem } from '../client/index.ts';

export interface LostConnection {
  readonly attempt: number;
  readonly delayMs: number;
  readonly reason: string;
}

/** Everything that a view of a followed workflow shows. */
export interface FollowState {
  readonly workflowId: string;
  readonly type: string;
  readonly status: WorkflowStatus;
  readonly startedAt: string;
  readonly closedAt: string | undefined;
  readonly progress: LiveProgress | undefined;
  readonly progressUnavailable: string | undefined;
  readonly lost: LostConnection | undefined;
}

export function initialState(detail: WorkflowDetail): FollowState {
  const { workflowId, type, status, startedAt, closedAt, progress, progressUnavailable } = detail;
  return { workflowId, type, status, startedAt, closedAt, progress, progressUnavailable, lost: undefined };
}

/** The state after one item of the stream. What an event does not carry stays as it was. */
export function advance(state: FollowState, item: StreamItem): FollowState {
  switch (item.kind) {
    case 'lost':
      return { ...state, lost: item };
    case 'restored':
      return { ...state, lost: undefined };
    case 'progress': {
      const { status, progress = state.progress, progressUnavailable } = item.event;
      return { ...state, status, progress, progressUnavailable, lost: undefined };
    }
    case 'end': {
      const { status, closedAt, progress = state.progress, progressUnavailable } = item.detail;
      return { ...state, status, closedAt, progress, progressUnavailable, lost: undefined };
    }
  }
}
