/** One measured figure beside what it is held to. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly goal: string;
  readonly met: boolean;
}

/** A ratio to what a peer took in the same run; seconds are for orientation. */
export function ratioFigure(
  name: string,
  times: { readonly ours: number; readonly peer: number },
  goal: { readonly text: string; readonly most: number },
): Figure {
  const ratio = times.ours / times.peer;
  return {
    name: `${name} (${times.ours.toFixed(0)} ms to ${times.peer.toFixed(0)} ms)`,
    value: ratio.toFixed(3),
    goal: goal.text,
    met: ratio <= goal.most,
  };
}
