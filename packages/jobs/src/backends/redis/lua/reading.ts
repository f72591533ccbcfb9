/** How jobs are read. Needs PLACES. */
export const READING = `
-- Bodies and all else of jobs of one queue: id, moment of enqueueing, state, score in it, body, record, children waited for, progress, worker, held.
local function recordsOf(queue, ids)
  if #ids == 0 then return {} end
  local records, open = {}, {}
  local enqueued = call('ZMSCORE', root .. ':all:' .. queue, unpack(ids))
  local bodies, mores = call('HMGET', JOB, unpack(ids)), call('HMGET', MORE, unpack(ids))
  local waits, notes = call('HMGET', WAIT, unpack(ids)), call('HMGET', NOTE, unpack(ids))
  for position, id in ipairs(ids) do
    records[position] = { id, enqueued[position] or '', '', '', bodies[position] or '', mores[position] or '', waits[position] or '', notes[position] or '', '', '' }
  end
  for _, place in ipairs(PLACES) do
    local scores = call('ZMSCORE', root .. ':' .. place .. ':' .. queue, unpack(ids))
    for position = 1, #ids do
      if scores[position] then
        records[position][3], records[position][4] = string.gsub(place, 'kept%-', ''), scores[position]
      end
    end
  end
  for _, worker in ipairs(call('ZRANGE', root .. ':workers', 0, -1)) do
    local held = call('HMGET', root .. ':held:' .. worker, unpack(ids))
    for position = 1, #ids do
      if held[position] then
        records[position][3], records[position][9], records[position][10] = 'running', worker, held[position]
      end
    end
  end
  -- What stands nowhere waits in a lane.
  for _, record in ipairs(records) do
    if record[3] == '' then record[3] = 'available' end
  end
  return records
end

local function recordOf(id)
  local body = call('HGET', JOB, id)
  if not body then return nil end
  local _, _, queue = headOf(body)
  return recordsOf(queue, { id })[1]
end

-- Numbers of jobs of a queue: in all, then by the states of ORDER, then running.
local ORDER = { 'pending', 'scheduled', 'retryable', 'completed', 'cancelled', 'dead' }
local function countsOf(queue)
  local counts = { call('ZCARD', root .. ':all:' .. queue) }
  for _, state in ipairs(ORDER) do
    local kept = FINAL[state] and call('ZCARD', root .. ':kept-' .. state .. ':' .. queue) or 0
    counts[#counts + 1] = call('ZCARD', root .. ':' .. state .. ':' .. queue) + kept
  end
  counts[#counts + 1] = tonumber(call('HGET', root .. ':running', queue) or 0)
  return counts
end
`
