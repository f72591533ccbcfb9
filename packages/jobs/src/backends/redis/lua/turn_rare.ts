/** What some turns need. Needs REMOVAL, UPKEEP, and the locals worker, HELD, STOP, number of the script. */
export const TURN_RARE = `
-- A completed job with links, or with more to it.
local function completeOne(id, attempt, startedAt, result, queue)
  local more = readMore(id)
  unhold(worker, id, queue)
  more.attempt, more.startedAt, more.result = tonumber(attempt), startedAt, result
  finish(queue, id, 'completed', more)
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

-- How many jobs the queue as a whole may begin now.
local function allowance(queue, settings, count)
  if settings.concurrency then
    count = math.min(count, settings.concurrency - tonumber(call('HGET', root .. ':running', queue) or 0))
  end
  if settings.rateCount then
    local whole_at = math.max(now, tonumber(call('HGET', root .. ':pace', queue) or 0))
    -- A little more than nothing, so that sums of fractions do not cost a start.
    count = math.min(count, math.floor((now + settings.ratePer - whole_at) * settings.rateCount / settings.ratePer + 1e-6))
  end
  return math.max(0, count)
end

-- Counts starts against the queue's rate; gives the moment of the next one.
local function pace(queue, settings, count)
  local step = settings.ratePer / settings.rateCount
  local whole_at = math.max(now, tonumber(call('HGET', root .. ':pace', queue) or 0)) + count * step
  if count > 0 then call('HSET', root .. ':pace', queue, string.format('%.17g', whole_at)) end
  return math.ceil(whole_at + step - settings.ratePer - 1e-6)
end

-- Takes up to count jobs from a queue with limits; also when these let more begin.
local function popLimited(queue, settings, count)
  local allowed, popped, at = allowance(queue, settings, count), {}, nil
  if allowed > 0 and settings.lanes then
    local stopped
    popped, stopped = popLanes(queue, settings, allowed)
    if stopped then at = now end
  elseif allowed > 0 then
    popped = call('ZPOPMIN', root .. ':available:' .. queue, allowed)
  end
  if settings.rateCount then
    local paced = pace(queue, settings, #popped / 2)
    if #popped == 2 * allowed and paced > now then at = math.min(at or paced, paced) end
  end
  local rested = settings.keyRateCount and call('ZRANGE', root .. ':resting:' .. queue, 0, 0, 'WITHSCORES')[2]
  return popped, rested and math.min(at or rested, tonumber(rested)) or at
end

-- Gives jobs again that the worker holds and does not know of, because a reply was lost.
local function giveAgain(isUnknown)
  local again, bodies, held = {}, {}, call('HGETALL', HELD)
  for position = 1, #held, 2 do
    local id, attempt, startedAt, _, score, turn = held[position], heldOf(held[position + 1])
    if isUnknown(id, turn) then
      bodies[#bodies + 1] = call('HGET', JOB, id)
      for _, part in ipairs({ id, score, attempt, startedAt }) do again[#again + 1] = part end
    end
  end
  return #again > 0 and { '', again, bodies, {} } or nil
end

local function forgotten(at)
  local believed = {}
  for position = at + 1, at + tonumber(ARGV[at]) do believed[ARGV[position]] = true end
  return giveAgain(function(id) return not believed[id] end)
end

local function repeatTurn()
  return { now, { giveAgain(function(_, turn) return turn == number end) }, {}, call('SMEMBERS', STOP), 0, {}, {} }
end

-- What the worker believes to hold, and does not.
local function lostOf(at)
  local lost = {}
  for position = at + 1, at + tonumber(ARGV[at]) do
    if call('HEXISTS', HELD, ARGV[position]) == 0 then lost[#lost + 1] = ARGV[position] end
  end
  return lost
end
`
