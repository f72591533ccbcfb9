/** How jobs end, and what that means for those above and below them. Needs PLACES. */
export const ENDINGS = `
local function isOpen(id)
  local job = find(id)
  return job and not FINAL[job.state]
end

-- Children that retention had to spare, because their parent wanted their results.
local function releaseChildren(parent)
  for _, id in ipairs(call('LRANGE', root .. ':kids:' .. parent, 0, -1)) do
    local job = find(id)
    if job and job.place == 'kept-' .. job.state then
      pull(job)
      call('ZADD', root .. ':' .. job.state .. ':' .. job.queue, job.score, id)
    end
  end
end

local function freeUnique(id, link, isRemoved)
  if link.unique == '' then return end
  local standing = call('HGET', root .. ':unique', link.unique)
  if not standing or string.sub(standing, 1, #id + 1) ~= id .. ':' then return end
  local hasEnd = #standing > #id + 1
  if hasEnd and not isRemoved then return end
  call('HDEL', root .. ':unique', link.unique)
  if hasEnd then call('ZREM', root .. ':unique-ends', link.unique) end
end

local childEnded

local function finish(queue, id, state, more)
  writeMore(id, more)
  local link = linkOf(id)
  local keeps = link and link.parent ~= '' and isOpen(link.parent)
  call('ZADD', root .. ':' .. (keeps and 'kept-' or '') .. state .. ':' .. queue, present, id)
  if not link then return end
  freeUnique(id, link, false)
  if link.children then
    releaseChildren(id)
    if call('HGET', WAIT, id) == '0' then call('HDEL', WAIT, id) end
  end
  if link.parent ~= '' then childEnded(link.parent, id, state) end
end

-- Brings a parent on when one of its children has ended.
childEnded = function(parent, child, state)
  if call('HEXISTS', WAIT, parent) == 0 then return end
  local left, job = call('HINCRBY', WAIT, parent, -1), find(parent)
  if left <= 0 and (not job or FINAL[job.state]) then call('HDEL', WAIT, parent) end
  if not job or job.state ~= 'pending' then return end
  local more = readMore(parent)
  if state ~= 'completed' and not linkOf(parent).ignores then
    pull(job)
    local kind = select(5, partsOf(call('HGET', JOB, child)))
    more.error = 'E_JOB_CHILD: its child ' .. child .. " of kind '" .. kind .. "' is " .. state
    finish(job.queue, parent, 'dead', more)
  elseif left <= 0 then
    pull(job)
    if (tonumber(more.runAt) or 0) <= now then
      more.runAt = whole(now)
      writeMore(parent, more)
    end
    place(job.queue, parent, job.priority, tonumber(more.runAt))
  end
end

-- Cancels what has not ended of a job and all below it. False if it has ended itself, or is not there.
local function cancel(id)
  local job = find(id)
  if not job or FINAL[job.state] then return false end
  if job.worker then
    call('SADD', root .. ':stop:' .. job.worker, id)
    call('PUBLISH', root .. ':wake', job.queue)
  else
    pull(job)
    finish(job.queue, id, 'cancelled', readMore(id))
  end
  for _, child in ipairs(call('LRANGE', root .. ':kids:' .. id, 0, -1)) do cancel(child) end
  return true
end

local function forgetMinutes(queue, minute)
  local minutes = root .. ':minutes:' .. queue
  for _, field in ipairs(call('HKEYS', minutes)) do
    if tonumber(string.match(field, '%d+')) < minute - 61 then call('HDEL', minutes, field) end
  end
end

-- Ends the running of a job; says whether somebody had asked for that.
local function unhold(worker, id, queue)
  call('HDEL', root .. ':held:' .. worker, id)
  call('HINCRBY', root .. ':running', queue, -1)
  local link = linkOf(id)
  if link then leaveLane(queue, link.key) end
  return call('SREM', root .. ':stop:' .. worker, id) == 1
end
`
