/** Where a job stands, and how it gets in and out. Needs GROUND, LANES. */
export const PLACES = `
local FINAL = { completed = true, cancelled = true, dead = true }
local PLACES = { 'available', 'scheduled', 'retryable', 'pending', 'completed', 'cancelled', 'dead', 'kept-completed', 'kept-cancelled', 'kept-dead' }

local function ownerOf(id)
  for _, worker in ipairs(call('ZRANGE', root .. ':workers', 0, -1)) do
    local held = call('HGET', root .. ':held:' .. worker, id)
    if held then return worker, held end
  end
end

-- All that is needed to move a job; nil if there is none.
local function find(id)
  local body = call('HGET', JOB, id)
  if not body then return nil end
  local job = { id = id, body = body }
  job.priority, job.maxAttempts, job.queue = headOf(body)
  for _, place in ipairs(PLACES) do
    local score = call('ZSCORE', root .. ':' .. place .. ':' .. job.queue, id)
    if score then
      job.place, job.score, job.state = place, score, string.gsub(place, 'kept%-', '')
      return job
    end
  end
  job.link = linkOf(id)
  local score = job.link and job.link.key ~= '' and call('ZSCORE', laneOf(job.queue, job.link.key), id)
  if score then
    job.score, job.state = score, 'available'
    return job
  end
  job.state = 'running'
  job.worker, job.held = ownerOf(id)
  return job
end

-- Takes a job that does not run out of where it stands.
local function pull(job)
  if job.place then return call('ZREM', root .. ':' .. job.place .. ':' .. job.queue, job.id) end
  call('ZREM', laneOf(job.queue, job.link.key), job.id)
  offer(job.queue, job.link.key)
end

-- Makes a job available.
local function release(queue, id, priority, ticks)
  local score = scoreOf(priority, ticks)
  if settingsOf(queue).lanes then
    local link = linkOf(id)
    if link and link.key ~= '' then return pushIntoLane(queue, link.key, id, score) end
  end
  call('ZADD', root .. ':available:' .. queue, score, id)
end

-- Lets a job wait for its time; workers whose sleep is too long then are woken.
local function postpone(queue, id, priority, due, state)
  local key = root .. ':' .. state .. ':' .. queue
  call('ZADD', key, whole(math.ceil(due) * 256 + priority), id)
  if call('ZRANGE', key, 0, 0)[1] == id then wake(queue) end
end

-- Puts a job that waits for nothing but its time where it belongs.
local function place(queue, id, priority, due)
  if due > now then return postpone(queue, id, priority, due, 'scheduled') end
  release(queue, id, priority, (takeTicks(1, id, id, '')))
  wake(queue)
end
`
