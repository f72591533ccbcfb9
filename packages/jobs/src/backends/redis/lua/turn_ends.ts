/** The first half of a turn: how attempts ended. Needs REMOVAL, and the locals worker, HELD, STOP of the script. */
export const TURN_ENDS = String.raw`
local function endedIn(touched, queue)
  local ended = touched[queue]
  if not ended then
    ended = { completed = 0, failed = 0, ids = {}, order = {}, records = {} }
    touched[queue] = ended
  end
  return ended
end

-- A completed job with links, or with more to it.
local function completeOne(id, attempt, startedAt, result, queue)
  local more = readMore(id)
  unhold(worker, id, queue)
  more.attempt, more.startedAt, more.result = tonumber(attempt), startedAt, result
  finish(queue, id, 'completed', more)
end

-- All others, of one queue, without a step for each.
local function completeMany(queue, ended)
  local ids, settings = ended.ids, settingsOf(queue)
  if #ids == 0 then return end
  call('HDEL', HELD, unpack(ids))
  call('HINCRBY', root .. ':running', queue, -#ids)
  if call('EXISTS', STOP) == 1 then call('SREM', STOP, unpack(ids)) end
  if settings.completedCount == 0 or settings.completedAge == 0 then return forget(queue, ids) end
  call('HSET', MORE, unpack(ended.records))
  call('ZADD', root .. ':completed:' .. queue, unpack(ended.order))
end

local function endCompleted(at, refused, touched)
  local n = tonumber(ARGV[at])
  if n == 0 then return at + 1 end
  local held = call('HMGET', HELD, unpack(ARGV, at + 1, at + n))
  local links = call('EXISTS', LINK) == 1 and call('HMGET', LINK, unpack(ARGV, at + 1, at + n)) or {}
  -- Jobs claimed in one turn share the text.
  local parsed = {}
  for position = 1, n do
    local id, attempt, text = ARGV[at + position], ARGV[at + n + position], held[position]
    local was = text and parsed[text]
    if text and not was then
      was = { heldOf(text) }
      parsed[text] = was
    end
    if not was or was[1] ~= attempt then
      refused[#refused + 1] = id
    else
      local result, ended = ARGV[at + 2 * n + position], endedIn(touched, was[6])
      ended.completed = ended.completed + 1
      if links[position] or was[3] == '1' then
        completeOne(id, attempt, was[2], result, was[6])
      else
        local count = #ended.ids
        ended.ids[count + 1] = id
        ended.order[2 * count + 1], ended.order[2 * count + 2] = now, id
        ended.records[2 * count + 1], ended.records[2 * count + 2] = id, attempt .. ':0:' .. was[2] .. '::0\n' .. result
      end
    end
  end
  for queue, ended in pairs(touched) do completeMany(queue, ended) end
  return at + 3 * n + 1
end

local function endOther(id, attempt, outcome, err, delay, held)
  local _, startedAt, _, _, _, queue = heldOf(held)
  local body, more, wasAsked = call('HGET', JOB, id), readMore(id), unhold(worker, id, queue)
  if not body then return queue, false end
  local priority, maxAttempts = headOf(body)
  more.startedAt = startedAt
  if outcome ~= 'snoozed' then more.attempt, more.error = attempt, err end
  local isFailure = outcome ~= 'snoozed'
  if not isFailure then more.runAt = whole(now + delay) end
  if wasAsked and (outcome == 'failed' or outcome == 'snoozed') then outcome = 'cancelled'
  elseif outcome == 'failed' and attempt >= maxAttempts then outcome = 'dead' end
  if outcome == 'dead' or outcome == 'cancelled' then
    finish(queue, id, outcome, more)
  else
    more.runAt = whole(now + delay)
    writeMore(id, more)
    postpone(queue, id, priority, now + delay, outcome == 'failed' and 'retryable' or 'scheduled')
  end
  return queue, isFailure
end

local function endOthers(at, refused, touched)
  local n = tonumber(ARGV[at])
  for position = at + 1, at + 5 * n, 5 do
    local id, attempt = ARGV[position], ARGV[position + 1]
    local held = call('HGET', HELD, id)
    if not held or heldOf(held) ~= attempt then
      refused[#refused + 1] = id
    else
      local queue, isFailure = endOther(id, tonumber(attempt), ARGV[position + 2], ARGV[position + 3], tonumber(ARGV[position + 4]), held)
      local ended = endedIn(touched, queue)
      if isFailure then ended.failed = ended.failed + 1 end
    end
  end
  return at + 5 * n + 1
end
`
