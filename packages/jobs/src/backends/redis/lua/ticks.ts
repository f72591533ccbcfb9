/** Places in the order of becoming available. Needs BASE. */
export const TICKS = `
-- The first of a number of ticks for jobs of ascending ids; goes on with the last one if these ids are above those that it was for. Never goes back, even if
-- the server's clock does.
local function takeTicks(count, first, last)
  local tick, id = string.match(call('GET', root .. ':tick') or '0 ', '^(%d+) (.*)$')
  tick = tonumber(tick)
  if ticksOf(now) > tick then tick = ticksOf(now) elseif first <= id then tick = tick + 1 end
  call('SET', root .. ':tick', whole(tick + count - 1) .. ' ' .. last)
  return tick
end
`
