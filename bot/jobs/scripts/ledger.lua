-- Put in front of every script of this room: how a job is read, what is written when it changes, where it is filed.
-- STARTED, ENDED and the limits come before this text, from the Python that owns them.

local function read(id)
  local flat = redis.call('HGETALL', key('job', id))
  if #flat == 0 then
    return nil
  end
  local job = {}
  for i = 1, #flat, 2 do
    job[flat[i]] = flat[i + 1]
  end
  return job
end

local function fields(id)
  return redis.call('HGETALL', key('job', id))
end

-- One entry for everything that somebody may wait for.
local function tell(id, state, by, why)
  redis.call('XADD', key('ev'), 'MAXLEN', '~', EVENTS_KEPT, '*', 'job', id, 'state', state, 'by', by, 'why', why)
end

-- The job is now in this state, and who, when and why is remembered.
local function step(id, state, by, why, now)
  local steps = cjson.decode(redis.call('HGET', key('job', id), 'steps') or '[]')
  steps[#steps + 1] = { state = state, at = now, by = by, why = why }
  if #steps > STEPS_KEPT then
    table.remove(steps, 2)
  end
  redis.call('HSET', key('job', id), 'state', state, 'updated', whole(now), 'steps', cjson.encode(steps))
  tell(id, state, by, why)
end

local function put_data(id, data)
  for name, value in pairs(cjson.decode(data)) do
    redis.call('HSET', key('job', id), 'data.' .. name, value)
  end
end

-- A claim holds the job as long as its fence is the last one given out and a lease is on file, even a lapsed one.
local function holds(id, job, fence)
  return job ~= nil and job.fence == fence and redis.call('ZSCORE', key('lease'), id) ~= false
end

-- Whoever had the job until now has lost it.
local function next_fence(id)
  return redis.call('HINCRBY', key('job', id), 'fence', 1)
end

local function free(lane, limits)
  return redis.call('SCARD', key('slot', lane)) < (limits[lane] or limits['*'])
end

local function make_ready(id, job, since)
  redis.call('ZADD', key('ready', job.lane), whole(tonumber(job.priority) * 1e13 + since), id)
  redis.call('SADD', key('lanes'), job.lane)
end

-- An end: nothing of the job is left but its record, and that for a while.
local function finish(id, job, state, by, why, now)
  redis.call('ZREM', key('lease'), id)
  redis.call('ZREM', key('delayed'), id)
  redis.call('ZREM', key('drafts'), id)
  redis.call('ZREM', key('live'), id)
  redis.call('ZREM', key('ready', job.lane), id)
  redis.call('SREM', key('slot', job.lane), id)
  if job.vm_key ~= '' and redis.call('GET', key('vm', job.vm_key)) == id then
    redis.call('DEL', key('vm', job.vm_key))
  end
  step(id, state, by, why, now)
  redis.call('PEXPIRE', key('job', id), JOB_KEPT)
end

-- Given up. A relocation that may be running is for a person; anything else has simply failed.
local function bury(id, job, by, why, now)
  redis.call('ZREMRANGEBYSCORE', key('dead'), '-inf', whole(now - JOB_KEPT))
  redis.call('ZADD', key('dead'), whole(now), id)
  finish(id, job, STARTED[job.state] and 'needs_human' or 'failed', by, why, now)
end
