/** How jobs go. Needs ENDINGS. */
export const REMOVAL = String.raw`
-- Deletes what links jobs to others.
local function forgetLinks(ids, texts)
  local linked, keyed = {}, {}
  for position, id in ipairs(ids) do
    local link = linkFrom(texts[position])
    if link then
      linked[#linked + 1] = id
      if link.key ~= '' then keyed[#keyed + 1] = link.key .. '\0' .. id end
      if link.children then
        releaseChildren(id)
        call('DEL', root .. ':kids:' .. id)
        call('HDEL', WAIT, id)
      end
    end
  end
  if #keyed > 0 then call('ZREM', root .. ':keyed', unpack(keyed)) end
  if #linked > 0 then call('HDEL', LINK, unpack(linked)) end
end

local function forgetNotes(ids, texts)
  for position, id in ipairs(ids) do
    if texts[position] then
      call('HDEL', NOTE, id)
      call('DEL', root .. ':log:' .. id)
    end
  end
end

-- Deletes what is known of jobs that stand nowhere any more; at most 3,000 at once.
local function forget(queue, ids)
  if #ids == 0 then return end
  call('ZREM', root .. ':all:' .. queue, unpack(ids))
  call('HDEL', JOB, unpack(ids))
  call('HDEL', MORE, unpack(ids))
  if call('EXISTS', LINK) == 1 then forgetLinks(ids, call('HMGET', LINK, unpack(ids))) end
  if call('EXISTS', NOTE) == 1 then forgetNotes(ids, call('HMGET', NOTE, unpack(ids))) end
end

-- Applies the retention of a state, in a bite; says how many went.
local function trim(queue, state, bite)
  local settings, key, gone = settingsOf(queue), root .. ':' .. state .. ':' .. queue, 0
  local most, age = settings[state .. 'Count'], settings[state .. 'Age']
  local excess = most and call('ZCARD', key) - most or 0
  local old = excess > 0 and call('ZRANGE', key, 0, math.min(excess, bite) - 1)
    or age and call('ZRANGEBYSCORE', key, '-inf', '(' .. whole(now - age), 'LIMIT', 0, bite) or {}
  if #old == 0 then return 0 end
  call('ZREM', key, unpack(old))
  forget(queue, old)
  return #old
end

-- Deletes one job that does not run; its parent takes it for cancelled.
local function remove(job)
  local link = linkOf(job.id)
  pull(job)
  if link then
    freeUnique(job.id, link, true)
    if link.parent ~= '' and not FINAL[job.state] then childEnded(link.parent, job.id, 'cancelled') end
  end
  forget(job.queue, { job.id })
end
`
