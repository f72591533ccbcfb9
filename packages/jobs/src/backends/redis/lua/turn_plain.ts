/**
 * A turn as most are: attempts that completed and have nothing more to them, queues without lanes, no job due, no worker dead. What is more than that goes to
 * `rest()`. Needs BASE, and the locals worker, HELD, STOP, stops, maxCrashes, number of the script.
 */
export const TURN_PLAIN = String.raw`
local function endedIn(touched, queue)
  local ended = touched[queue]
  if not ended then
    ended = { completed = 0, failed = 0, ids = {}, order = {}, records = {}, keys = {} }
    touched[queue] = ended
  end
  return ended
end

-- Counts what runs in a queue: what this turn has begun there, less what it has freed. At a steady pace that is nothing to write.
local freed = {}
local function countRunning(queue, begun)
  local change = begun - (freed[queue] or 0)
  freed[queue] = nil
  if change ~= 0 then call('HINCRBY', root .. ':running', queue, change) end
end

local function drop(queue, ids)
  if call('EXISTS', LINK, NOTE) > 0 then return rest().forget(queue, ids) end
  call('ZREM', root .. ':all:' .. queue, unpack(ids))
  call('HDEL', JOB, unpack(ids))
  call('HDEL', MORE, unpack(ids))
end

-- Completed jobs of one queue, without a step for each.
local function completeMany(queue, ended)
  local ids, settings = ended.ids, settingsOf(queue)
  if #ids == 0 then return end
  call('HDEL', HELD, unpack(ids))
  freed[queue] = #ids
  if #stops > 0 then call('SREM', STOP, unpack(ids)) end
  if #ended.keys > 0 and settings.keyConcurrency then rest().freeLanes(queue, ended.keys) end
  if settings.completedCount == 0 or settings.completedAge == 0 then return drop(queue, ids) end
  call('HSET', MORE, unpack(ended.records))
  call('ZADD', root .. ':completed:' .. queue, unpack(ended.order))
end

local function endCompleted(at, refused, touched)
  local n = tonumber(ARGV[at])
  if n == 0 then return at + 1 end
  local held = call('HMGET', HELD, unpack(ARGV, at + 1, at + n))
  local links = call('EXISTS', LINK) == 1 and call('HMGET', LINK, unpack(ARGV, at + 1, at + n)) or {}
  -- Jobs that became available in one tick and were claimed in one turn share the text.
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
      local link = links[position]
      -- A link that begins with k is a key and nothing else.
      if (link and string.byte(link) ~= 107) or was[3] == '1' then
        rest().completeOne(id, attempt, was[2], result, was[6])
      else
        local count = #ended.ids
        if link then ended.keys[#ended.keys + 1] = string.sub(link, 2) end
        ended.ids[count + 1] = id
        ended.order[2 * count + 1], ended.order[2 * count + 2] = present, id
        ended.records[2 * count + 1], ended.records[2 * count + 2] = id, attempt .. ':0:' .. was[2] .. '::0\n' .. result
      end
    end
  end
  for queue, ended in pairs(touched) do completeMany(queue, ended) end
  return at + 3 * n + 1
end

local function endOthers(at, refused, touched)
  local n = tonumber(ARGV[at])
  for position = at + 1, at + 5 * n, 5 do
    local id, attempt = ARGV[position], ARGV[position + 1]
    local held = call('HGET', HELD, id)
    if not held or heldOf(held) ~= attempt then
      refused[#refused + 1] = id
    else
      local queue, isFailure = rest().endOther(id, tonumber(attempt), ARGV[position + 2], ARGV[position + 3], tonumber(ARGV[position + 4]), held)
      local ended = endedIn(touched, queue)
      if isFailure then ended.failed = ended.failed + 1 end
    end
  end
  return at + 5 * n + 1
end

-- Applies the retention of completed jobs, in a bite.
local function retain(queue, bite)
  local settings, key, old = settingsOf(queue), root .. ':completed:' .. queue, {}
  local excess = settings.completedCount and call('ZCARD', key) - settings.completedCount or 0
  if excess > 0 then
    local popped = call('ZPOPMIN', key, math.min(excess, bite))
    for position = 1, #popped, 2 do old[#old + 1] = popped[position] end
  else
    old = call('ZRANGEBYSCORE', key, '-inf', '(' .. whole(now - settings.completedAge), 'LIMIT', 0, bite)
    if #old > 0 then call('ZREM', key, unpack(old)) end
  end
  if #old > 0 then drop(queue, old) end
end

-- Counts attempts by the minute. The first of a minute takes the counts away that nobody is shown any more; each hundredth applies retention, to twice as many
-- as have come since, so that it keeps up with them.
local function countAttempts(queue, kind, count)
  if count == 0 then return end
  local minute = math.floor(now / 60000)
  local total = call('HINCRBY', root .. ':minutes:' .. queue, minute .. kind, count)
  if total == count then rest().forgetMinutes(queue, minute) end
  if kind == 'c' and total % 100 < count then retain(queue, 200 + 2 * count) end
end

local function sooner(a, b) return a and b and math.min(a, b) or a or b end

-- When the next job of a queue is due; nil when none is.
local function nextDue(queue)
  if call('EXISTS', root .. ':scheduled:' .. queue, root .. ':retryable:' .. queue) == 0 then return nil end
  local scheduled = call('ZRANGE', root .. ':scheduled:' .. queue, 0, 0, 'WITHSCORES')[2]
  local retryable = call('ZRANGE', root .. ':retryable:' .. queue, 0, 0, 'WITHSCORES')[2]
  return sooner(scheduled and math.floor(scheduled / 256), retryable and math.floor(retryable / 256))
end

-- Gives the worker jobs that have left their place: id and score of each.
local function hold(queue, popped)
  local ids, held = {}, {}
  for position = 1, #popped, 2 do ids[#ids + 1] = popped[position] end
  local bodies, records = call('HMGET', JOB, unpack(ids)), call('HMGET', MORE, unpack(ids))
  local begun, fresh, last = ':' .. present .. ':1:', '1:' .. present .. ':0:', ':' .. number .. ':' .. queue
  for position, id in ipairs(ids) do
    local record = records[position]
    held[2 * position - 1] = id
    held[2 * position] = (record and string.match(record, '^%d+') + 1 .. begun or fresh) .. popped[2 * position] .. last
  end
  call('HSET', HELD, unpack(held))
  countRunning(queue, #ids)
  return { queue, popped, bodies, records }
end

-- Claims of one queue; also when something may become available there by itself.
local function claim(queue, count)
  local settings, soonest, popped, limited = settingsOf(queue), nextDue(queue), nil, nil
  if soonest and soonest <= now then soonest = rest().promote(queue, 500) and now or nextDue(queue) end
  if settings.isLoose and rest().dissolveLanes(queue) then soonest = now end
  if settings.isPaused then return nil, nil end
  if settings.concurrency or settings.rateCount or settings.lanes then
    countRunning(queue, 0)
    popped, limited = rest().popLimited(queue, settings, count)
    soonest = sooner(soonest, limited)
  else
    popped = count > 0 and call('ZPOPMIN', root .. ':available:' .. queue, count) or {}
  end
  if #popped < 2 * count then call('SREM', root .. ':awake', queue) else wake(queue) end
  return #popped > 0 and hold(queue, popped) or nil, soonest
end

local function takeTurn(at, refused, touched)
  local claims, buried, soonest = {}, {}, nil
  for queue, ended in pairs(touched) do
    countAttempts(queue, 'c', ended.completed)
    countAttempts(queue, 'f', ended.failed)
  end
  local isDead = call('ZRANGEBYSCORE', root .. ':workers', '-inf', '(' .. present, 'LIMIT', 0, 1)[1]
  if isDead and rest().rescue(500, maxCrashes, buried) then soonest = now end
  local believed = at + 1 + 2 * tonumber(ARGV[at])
  local isReconciling = ARGV[believed] ~= '-1'
  if isReconciling then claims[1] = rest().forgotten(believed) end
  for position = at + 1, believed - 1, 2 do
    local claimed, next = claim(ARGV[position], tonumber(ARGV[position + 1]))
    claims[#claims + 1] = claimed
    soonest = sooner(soonest, next)
  end
  for queue in pairs(touched) do
    countRunning(queue, 0)
    -- An end may have made room for somebody else's worker.
    local settings = settingsOf(queue)
    if settings.concurrency or settings.keyConcurrency then wake(queue) end
  end
  if #stops > 0 then stops = call('SMEMBERS', STOP) end
  return { now, claims, refused, stops, soonest and math.max(0, math.ceil(soonest - now)) or -1, buried, isReconciling and rest().lostOf(believed) or {} }
end
`
