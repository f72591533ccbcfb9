/** How jobs come in that have more to them, and how they are changed before they begin. Needs PLACES. */
export const ADDING_RARE = String.raw`
-- The job that stands for a unique key, if one does.
local function standingOf(key)
  local text = key ~= '' and call('HGET', root .. ':unique', key)
  if not text then return nil end
  local id, ends = string.match(text, '^(.*):(%d*)$')
  if ends ~= '' then return tonumber(ends) > now and id or nil end
  return call('HEXISTS', JOB, id) == 1 and id or nil
end

local function takeUnique(key, id, ttl)
  if key == '' then return end
  local ends = ttl ~= '' and whole(now + ttl) or ''
  call('HSET', root .. ':unique', key, id .. ':' .. ends)
  if ends == '' then call('ZREM', root .. ':unique-ends', key) else call('ZADD', root .. ':unique-ends', ends, key) end
end

-- Gives a job another payload, priority or queue; nil leaves it.
local function rewrite(job, payload, priority, queue)
  local p, attempts, timeout, q, kind, meta, text = partsOf(job.body)
  job.priority = tonumber(priority or p)
  call('HSET', JOB, job.id, table.concat({ job.priority, attempts, timeout, queue or q, kind, meta, payload or text }, '\n'))
end

-- Gives a job that stands nowhere another queue.
local function move(job, queue)
  if queue == job.queue then return end
  local all = root .. ':all:'
  call('ZADD', all .. queue, call('ZSCORE', all .. job.queue, job.id), job.id)
  call('ZREM', all .. job.queue, job.id)
  call('SADD', root .. ':queues', queue)
  rewrite(job, nil, nil, queue)
  job.queue, job.body = queue, call('HGET', JOB, job.id)
end

-- Replaces a job that has not begun; false if it has.
local function replace(id, entry)
  local job, more = find(id), readMore(id)
  if not job or more.attempt > 0 or (job.state ~= 'scheduled' and job.state ~= 'available') then return false end
  local payload = select(7, partsOf(entry.body))
  pull(job)
  rewrite(job, payload, entry.priority)
  more.runAt = whole(entry.due)
  writeMore(id, more)
  place(job.queue, id, job.priority, entry.due)
  takeUnique(entry.unique, id, entry.ttl)
  return true
end

-- Stores one job; leaves alone what is there.
local function addJob(entry, ticks, outcomes)
  local id, queue = entry.id, entry.queue
  if call('HEXISTS', JOB, id) == 1 then return end
  if entry.parent ~= '' and call('HEXISTS', JOB, entry.parent) == 0 then return end
  local standing = standingOf(entry.unique)
  if standing then
    local isReplaced = entry.isReplacing and replace(standing, entry)
    for _, word in ipairs({ id, standing, isReplaced and 'replaced' or 'duplicate' }) do outcomes[#outcomes + 1] = word end
    return
  end
  call('HSET', JOB, id, entry.body)
  call('ZADD', root .. ':all:' .. queue, present, id)
  if entry.link ~= '' then call('HSET', LINK, id, entry.link) end
  if entry.key ~= '' then call('ZADD', root .. ':keyed', 0, entry.key .. '\0' .. id) end
  takeUnique(entry.unique, id, entry.ttl)
  if entry.due > now then
    local more = moreOf()
    more.runAt = whole(entry.due)
    writeMore(id, more)
  end
  if entry.parent ~= '' then
    call('RPUSH', root .. ':kids:' .. entry.parent, id)
    call('HINCRBY', WAIT, entry.parent, 1)
  end
  if entry.isParent then
    call('ZADD', root .. ':pending:' .. queue, present, id)
  elseif entry.due > now then
    postpone(queue, id, entry.priority, entry.due, 'scheduled')
  else
    release(queue, id, entry.priority, ticks)
  end
end

local function entryAt(at)
  local entry = { queue = ARGV[at + 2], priority = tonumber(ARGV[at + 3]), id = ARGV[at + 4], body = ARGV[at + 5], link = ARGV[at + 6],
    parent = ARGV[at + 9], key = ARGV[at + 10], unique = ARGV[at + 11], ttl = ARGV[at + 12], isReplacing = ARGV[at + 13] == 'replace' }
  entry.due = math.max(now + tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8]))
  entry.isParent = ARGV[at + 14] == 'parent'
  return entry
end

local function addEntry(at, ticks, outcomes) addJob(entryAt(at), ticks, outcomes) end
`
