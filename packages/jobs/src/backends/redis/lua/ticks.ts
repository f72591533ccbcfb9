/** Places in the order of becoming available. Needs BASE. */
export const TICKS = `
-- The first of a number of ticks for jobs of ascending ids; goes on with the last one if these ids are above those that it was for. Never goes back, even if
-- the server's clock does. Also whether all of these ids are above every one that was stored before, given the highest of what is stored now.
local function takeTicks(count, first, last, highest)
  local tick, id, known = string.match(call('GET', root .. ':tick') or '0  ', '^(%d+) (%S*) (%S*)$')
  tick = tonumber(tick)
  if ticksOf(now) > tick then tick = ticksOf(now) elseif first <= id then tick = tick + 1 end
  if highest < known then highest = known end
  call('SET', root .. ':tick', whole(tick + count - 1) .. ' ' .. last .. ' ' .. highest)
  return tick, count == 1 and known ~= '' and first > known
end
`
