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

-- What a transition has to know: reading all of a record takes longer than the rest of it.
local NEEDED = { 'op', 'fence', 'state', 'cancel_by', 'attempt', 'owner', 'lane', 'needs', 'vm_key', 'steps', 'priority',
  'requester', 'data.passes_holds' }

local function read_needed(id)
  local values = redis.call('HMGET', key('job', id), unpack(NEEDED))
  if not values[2] then
    return nil
  end
  local job = {}
  for i, name in ipairs(NEEDED) do
    job[name] = values[i] or nil
  end
  return job
end

-- The record as one string: a client reads that many times faster than fifty small ones.
local function record(id)
  return cjson.encode(read(id))
end

-- One entry for everything that somebody may wait for.
local function tell(id, state, by, why)
  redis.call('XADD', key('ev'), 'MAXLEN', '~', EVENTS_KEPT, '*', 'job', id, 'state', state, 'by', by, 'why', why)
end

-- What people did, and how things ended: for whoever has to account for it.
local function act(on, verb, by, why)
  redis.call('XADD', key('audit'), 'MAXLEN', '~', ACTS_KEPT, '*', 'on', on, 'verb', verb, 'by', by, 'why', why)
end

-- Steps are appended as text; only when that has grown long are those in the middle left out.
local function with_step(steps, one)
  if steps == nil or steps == false or steps == '[]' then
    return '[' .. cjson.encode(one) .. ']'
  end
  if #steps > STEPS_LENGTH then
    local all = cjson.decode(steps)
    while #all >= STEPS_KEPT do
      table.remove(all, 2)
    end
    steps = cjson.encode(all)
  end
  return string.sub(steps, 1, -2) .. ',' .. cjson.encode(one) .. ']'
end

-- The job is now in this state, and who, when and why is remembered; further fields are written along with it.
local function step_after(steps, id, state, by, why, now, ...)
  local one = { state = state, at = now, by = by, why = why }
  redis.call('HSET', key('job', id), 'state', state, 'updated', whole(now), 'steps', with_step(steps, one), ...)
  tell(id, state, by, why)
end

local function step(id, state, by, why, now)
  step_after(redis.call('HGET', key('job', id), 'steps'), id, state, by, why, now)
end

local function put_data(id, data)
  if data == '{}' then
    return
  end
  for name, value in pairs(cjson.decode(data)) do
    redis.call('HSET', key('job', id), 'data.' .. name, value)
  end
end

-- A claim holds the job as long as its fence is the last one given out and a lease is on file, even a lapsed one.
local function holds(id, job, fence)
  return job ~= nil and job.fence == fence and redis.call('ZSCORE', key('lease'), id) ~= false
end

-- Whoever had the job until now has lost it. A fence is never given out twice, not even by a Redis that forgot: one
-- that came back with an older record, or without any, is later by the clock.
local function fence_after(job)
  return whole(math.max(tonumber(job.fence) + 1, now_ms()))
end

local function next_fence(id, job)
  redis.call('HSET', key('job', id), 'fence', fence_after(job))
end

-- What it holds while it runs: its lane, and whatever else its plan needs.
local function resources(job)
  local names = cjson.decode(job.needs or '[]')
  names[#names + 1] = job.lane
  return names
end

local function take_slots(id, job)
  for _, name in ipairs(resources(job)) do
    redis.call('SADD', key('slot', name), id)
  end
end

local function give_slots(id, job)
  for _, name in ipairs(resources(job)) do
    redis.call('SREM', key('slot', name), id)
  end
end

-- A lane has the limit of its name, or the common one; anything else that of its kind, or none.
local function limit_of(name, lane, limits)
  if name == lane then
    return limits[name] or limits['*']
  end
  return limits[name] or limits[string.match(name, '^%a+:') or '']
end

local function free(job, limits)
  for _, name in ipairs(resources(job)) do
    local limit = limit_of(name, job.lane, limits)
    if limit and redis.call('SCARD', key('slot', name)) >= limit then
      return false
    end
  end
  return true
end

-- What is held by name of the resource, with the hold's id.
local function all_held()
  local flat, held = redis.call('HGETALL', key('held')), {}
  for i = 1, #flat, 2 do
    held[flat[i]] = flat[i + 1]
  end
  return held, #flat > 0
end

-- Whether a hold is on anything that it needs. What tries a path passes holds of that path, its lane and its two hosts.
local function needs_held(job, held)
  if held['*'] then
    return true
  end
  local passes = (job['data.passes_holds'] or '') ~= ''
  for _, name in ipairs(resources(job)) do
    local of_path = name == job.lane or string.find(name, '^pair:')
    if held[name] and not (passes and of_path) then
      return true
    end
  end
  return false
end

-- A hold keeps approved jobs from being started, and touches nothing else.
local function is_held(job, held)
  return job.state == 'queued' and needs_held(job, held)
end

-- Round robin between requesters: the k-th waiting job of each belongs to the k-th round, and rounds go before
-- arrival. Whoever comes later joins the round that is being served. `ahead`: it has waited its turn already.
local function make_ready(id, job, ahead)
  local turns = key('turns', job.lane)
  local round = tonumber(redis.call('HGET', turns, '') or '0')
  local sequence = 0
  if not ahead then
    round = math.max(round, tonumber(redis.call('HGET', turns, job.requester) or '-1') + 1)
    redis.call('HSET', turns, job.requester, math.min(round, LAST_ROUND))
    sequence = redis.call('INCR', key('sequence')) % ROUND
  end
  local score = tonumber(job.priority) * PRIORITY + math.min(round, LAST_ROUND) * ROUND + sequence
  redis.call('ZADD', key('ready', job.lane), whole(score), id)
  redis.call('SADD', key('lanes'), job.lane)
end

-- Out of its lane's line; of an empty line nothing is left.
local function unready(id, job)
  if redis.call('ZREM', key('ready', job.lane), id) == 1 and redis.call('EXISTS', key('ready', job.lane)) == 0 then
    redis.call('DEL', key('turns', job.lane))
    redis.call('SREM', key('lanes'), job.lane)
  end
end

-- An end: nothing of the job is left but its record, and that for a while. Who did it is told, unless a worker did what
-- nobody had to decide about. One that is claimed waits nowhere.
local function finish(id, job, state, by, why, now, claimed, ...)
  redis.call('ZREM', key('lease'), id)
  redis.call('ZREM', key('live'), id)
  redis.call('ZREM', key('drafts'), id)
  if not claimed then
    redis.call('ZREM', key('delayed'), id)
    unready(id, job)
  end
  give_slots(id, job)
  if job.vm_key ~= '' and redis.call('GET', key('vm', job.vm_key)) == id then
    redis.call('DEL', key('vm', job.vm_key))
  end
  step_after(job.steps, id, state, by, why, now, ...)
  if not OWN_LANE[job.lane] or by ~= job.owner then
    act(id, state, by, why)
  end
  redis.call('PEXPIRE', key('job', id), JOB_KEPT)
end

-- The plan of a part has as much time as the whole that it is a part of, which is decided about at once.
local function has_time_of_whole(job)
  local part_of = job['data.part_of']
  return job.state == 'planned' and part_of ~= nil and redis.call('ZSCORE', key('live'), part_of) ~= false
end

-- Approved, claimed, and held before anything was started: it waits in its lane again, where it was.
local function put_back(id, job, now)
  if job.cancel_by ~= '' then
    finish(id, job, 'cancelled', job.cancel_by, 'cancelled before anything was started', now)
    return
  end
  redis.call('ZREM', key('lease'), id)
  redis.call('ZREM', key('delayed'), id)
  give_slots(id, job)
  next_fence(id, job)
  make_ready(id, job, true)
end

-- Given up. A relocation that may be running is for a person; anything else has simply failed.
local function bury(id, job, by, why, now)
  redis.call('ZREMRANGEBYSCORE', key('dead'), '-inf', whole(now - JOB_KEPT))
  redis.call('ZADD', key('dead'), whole(now), id)
  finish(id, job, STARTED[job.state] and 'needs_human' or 'failed', by, why, now)
end
