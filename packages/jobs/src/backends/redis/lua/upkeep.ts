/** What time brings: jobs become due, workers die. Needs ENDINGS. */
export const UPKEEP = `
-- Makes due jobs available, in a bite of each state; true if more are due.
local function promote(queue, bite)
  local lanes, isMore = settingsOf(queue).lanes, false
  for _, state in ipairs({ 'scheduled', 'retryable' }) do
    local key = root .. ':' .. state .. ':' .. queue
    local due = call('ZRANGEBYSCORE', key, '-inf', whole(now * 256 + 255), 'WITHSCORES', 'LIMIT', 0, bite)
    local ids, entries = {}, {}
    for position = 1, #due, 2 do
      local score = tonumber(due[position + 1])
      -- In the order in which they became due, and before what became available since.
      local ticks = ticksOf(math.floor(score / 256))
      ids[#ids + 1] = due[position]
      if lanes then release(queue, due[position], score % 256, ticks) end
      entries[position], entries[position + 1] = scoreOf(score % 256, ticks), due[position]
    end
    if #ids > 0 then
      call('ZREM', key, unpack(ids))
      if not lanes then call('ZADD', root .. ':available:' .. queue, unpack(entries)) end
    end
    isMore = isMore or #ids == bite
  end
  return isMore
end

-- Takes a job from a dead worker. Gives its body and record if that buries it.
local function rescueJob(worker, id, held, maxCrashes)
  local attempt, startedAt, _, _, _, queue = heldOf(held)
  local wasAsked = unhold(worker, id, queue)
  local body, more = call('HGET', JOB, id), readMore(id)
  if not body then return nil end
  local priority, maxAttempts = headOf(body)
  more.attempt, more.crashes, more.startedAt = tonumber(attempt), more.crashes + 1, startedAt
  if wasAsked then
    finish(queue, id, 'cancelled', more)
  elseif more.crashes > maxCrashes or more.attempt >= maxAttempts then
    more.error = 'E_JOB_POISON: its worker died ' .. more.crashes .. ' times, in attempt ' .. attempt .. ' of ' .. maxAttempts
    finish(queue, id, 'dead', more)
    return { id, body, attempt }
  else
    writeMore(id, more)
    release(queue, id, priority, firstTick())
    wake(queue)
  end
end

-- Takes jobs from dead workers, in a bite; true if some are left.
local function rescue(bite, maxCrashes, buried)
  local dead = call('ZRANGEBYSCORE', root .. ':workers', '-inf', '(' .. whole(now), 'LIMIT', 0, 100)
  for _, worker in ipairs(dead) do
    local some = call('HRANDFIELD', root .. ':held:' .. worker, bite, 'WITHVALUES')
    for position = 1, #some, 2 do
      buried[#buried + 1] = rescueJob(worker, some[position], some[position + 1], maxCrashes)
    end
    bite = bite - #some / 2
    if bite <= 0 then return true end
    forgetWorker(worker)
  end
  return #dead == 100
end
`
