/**
 * How jobs come in, simple ones in groups, the others by `rest().addEntry`. Needs BASE, TICKS.
 *
 * Entries of ARGV, from a position on:
 *   'group', tick, queue, priority, n, then n times id, body: jobs without more to them, available at once, ids ascending
 *   'job', tick, queue, priority, id, body, link, delay, runAt, parent, key, unique key, unique ttl, 'replace' or '', 'parent' or ''
 * A parent stands before its children. Ticks are counted from 0: entries that compete with each other are in the order of their ticks, and within one of
 * their ids.
 *
 * Memory: the server refuses a script over its limit at the first command that could add to it, and only if nothing has been written before. So the first
 * write here is such a command, and what is refused has stored nothing.
 */
export const ADDING = `
local function addGroup(at, ticks, isNew)
  local queue, priority, n = ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
  local ids, order, turns, score = {}, {}, {}, scoreOf(priority, ticks)
  local first, last = at + 5, at + 4 + 2 * n
  for position = 1, n do
    local id = ARGV[first + 2 * position - 2]
    ids[position] = id
    order[2 * position - 1], order[2 * position] = present, id
    turns[2 * position - 1], turns[2 * position] = score, id
  end
  if not isNew then
    isNew = true
    for _, known in ipairs(call('HMGET', JOB, unpack(ids))) do isNew = isNew and not known end
  end
  if isNew then
    call('HSET', JOB, unpack(ARGV, first, last))
    call('ZADD', root .. ':all:' .. queue, unpack(order))
    call('ZADD', root .. ':available:' .. queue, unpack(turns))
  else
    for position = first, last, 2 do
      if call('HSETNX', JOB, ARGV[position], ARGV[position + 1]) == 1 then
        call('ZADD', root .. ':all:' .. queue, present, ARGV[position])
        call('ZADD', root .. ':available:' .. queue, score, ARGV[position])
      end
    end
  end
  return last + 1
end

-- Reads and stores entries, which are preceded by: their number, that of their ticks, the first and the last id that has one, the highest of all. Gives what was not simply
-- stored: id, id of the job that stands for it, outcome.
local function addAll(at)
  local queues, outcomes, count = {}, {}, tonumber(ARGV[at])
  if count == 0 then return outcomes end
  local ticks, areNew = 0, false
  if ARGV[at + 1] ~= '0' then ticks, areNew = takeTicks(tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]) end
  at = at + 5
  for _ = 1, count do
    local queue, tick = ARGV[at + 2], ticks + tonumber(ARGV[at + 1])
    if ARGV[at] == 'group' then
      at = addGroup(at, tick, areNew)
    else
      rest().addEntry(at, tick, outcomes)
      at = at + 15
    end
    queues[queue] = true
  end
  for queue in pairs(queues) do
    call('SADD', root .. ':queues', queue)
    wake(queue)
  end
  return outcomes
end
`
