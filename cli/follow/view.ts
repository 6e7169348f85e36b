import { createLogUpdate } from 'log-update';
import type { Writable } from 'node:stream';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import { changeLines } from './changes.ts';
import { renderFrame } from './frame.ts';
import type { FollowState } from './state.ts';

/** Shows states as they come; `close` leaves the last one on the screen. */
export interface FollowView {
  show(state: FollowState): void;
  close(): void;
}

/** Often enough for elapsed times to run smoothly, seldom enough to cost nothing. */
const REPAINT_MS = 250;

/** Repaints one frame in place; elapsed times move between events too. */
export function liveView(io: Io): FollowView {
  const repaint = createLogUpdate(io.stdout);
  const colors = colorsOf(io);
  let latest: FollowState | undefined;
  const paint = (): void => {
    if (latest === undefined) return;
    repaint(renderFrame(latest, { now: Date.now(), columns: io.columns(), colors }).join('\n'));
  };
  const timer = setInterval(paint, REPAINT_MS);
  return {
    show(state) {
      latest = state;
      paint();
    },
    close() {
      clearInterval(timer);
      paint();
      repaint.done();
    },
  };
}

/** Writes a line for every change. */
export function lineView(io: Io, stream: Writable = io.stdout): FollowView {
  const colors = colorsOf(io);
  let latest: FollowState | undefined;
  return {
    show(state) {
      for (const line of changeLines(latest, state, { now: Date.now(), colors })) writeLine(stream, line);
      latest = state;
    },
    close() {
      latest = undefined;
    },
  };
}
