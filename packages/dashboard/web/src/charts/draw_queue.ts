/*
 * Each second every chart has something new to draw, and six charts of an hour are more work than one frame has room for.
 * So that scrolling and typing stay smooth, one chart is drawn a frame, in turn.
 */

const queue = new Set<() => void>()
let scheduled = false

/** Draws at one of the next frames; asking again before that changes nothing. The result takes it back. */
export function drawSoon(draw: () => void): () => void {
  queue.add(draw)
  if (!scheduled) {
    scheduled = true
    requestAnimationFrame(drawNext)
  }
  return () => queue.delete(draw)
}

function drawNext(): void {
  const [draw] = queue
  if (draw) {
    queue.delete(draw)
    draw()
  }
  scheduled = queue.size > 0
  if (scheduled) requestAnimationFrame(drawNext)
}
