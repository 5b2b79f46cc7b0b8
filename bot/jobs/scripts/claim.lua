-- The next jobs for this worker: lapsed leases, then what is due, then what is ready; or when to look again.
local worker, lease, limits, most_claims, given_up, most, alone = unpack(ARGV)
limits, most, most_claims = cjson.decode(limits), tonumber(most), tonumber(most_claims)
local now = now_ms()
local until_then = whole(now + tonumber(lease))
local held, any_held = all_held()
local taken, left_lapsed = {}, false

local function take(id, job, taken_over, suspect)
  take_slots(id, job)
  redis.call('ZADD', key('lease'), until_then, id)
  local before = job.owner
  job.owner, job.updated, job.fence = worker, whole(now), fence_after(job)
  redis.call('HSET', key('job', id), 'owner', worker, 'updated', job.updated, 'fence', job.fence,
    'claims', tonumber(job.claims) + 1, 'claimed', job.updated)
  if taken_over then
    step(id, job.state, worker, 'taken over from ' .. before, now)
    job = read(id)
  end
  taken[#taken + 1] = { taken_over, suspect or false, job }
end

-- A job whose workers died again and again may be what kills them, and must not take its neighbours along: it goes to
-- a worker that has nothing else, and nothing else goes with it. It need not wait for such a worker for ever.
local function lapsed()
  local found = redis.call('ZRANGEBYSCORE', key('lease'), '-inf', whole(now), 'WITHSCORES', 'LIMIT', 0, MANY)
  for i = 1, #found, 2 do
    local id, since = found[i], tonumber(found[i + 1])
    local job = read(id)
    local suspect = job ~= nil and tonumber(job.claims) >= SUSPECT
    if #taken == most then
      return
    elseif job == nil then
      redis.call('ZREM', key('lease'), id)
    elseif tonumber(job.claims) >= most_claims then
      bury(id, job, worker, given_up, now)
    elseif is_held(job, held) then
      put_back(id, job, now)
    elseif not suspect or now - since > ALONE_FOR then
      take(id, job, true)
    elseif alone == '1' and #taken == 0 then
      most = 1
      take(id, job, true, true)
    else
      left_lapsed = true
    end
  end
end

-- A clock that was set back, as by a new primary that is behind, leaves leases that would keep the jobs of a dead
-- worker for as long. Whoever lives renews before these end.
local function clip()
  local latest = whole(now + math.max(10 * tonumber(lease), LONGEST_LEASE))
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('lease'), '(' .. latest, '+inf', 'LIMIT', 0, MANY)) do
    redis.call('ZADD', key('lease'), latest, id)
  end
end

-- What has started is taken as soon as it is due. Anything else joins its lane's line: what is due at one moment, when
-- a window opens, goes in turns like everything.
local function due()
  local found = redis.call('ZRANGEBYSCORE', key('delayed'), '-inf', whole(now), 'LIMIT', 0, MANY)
  for _, id in ipairs(found) do
    if #taken == most then
      return -- after an outage a thousand copies are due at once, and each claim takes a few
    end
    local job = read(id)
    redis.call('ZREM', key('delayed'), id)
    if job ~= nil and STARTED[job.state] then
      take(id, job, false)
    elseif job ~= nil then
      make_ready(id, job, job.state ~= 'queued')
    end
  end
end

-- The first of these that may go. What was said of a need is true of all who have it, as long as nothing is taken.
local function first_in(ids, lane, refused)
  for _, id in ipairs(ids) do
    local state, needs, passes = unpack(redis.call('HMGET', key('job', id), 'state', 'needs', 'data.passes_holds'))
    local alike = state and state .. needs .. (passes or '')
    if not state then
      unready(id, { lane = lane })
    elseif not refused[alike] then
      local job = { lane = lane, state = state, needs = needs, ['data.passes_holds'] = passes or nil }
      if free(job, limits) and not (any_held and is_held(job, held)) then
        return id, read(id)
      end
      refused[alike] = true
    end
  end
end

-- The first of a lane that may go: whose host is busy or held does not keep the others waiting. In a long line the
-- next look goes on behind the first page where this one ended, so that in the end everybody is looked at.
local function first_of(lane)
  local ready, turns, refused = key('ready', lane), key('turns', lane), {}
  local from, on = 0, tonumber(redis.call('HGET', turns, LOOKED) or PAGE)
  for _ = 1, LOOK_AHEAD / PAGE do
    local ids = redis.call('ZRANGE', ready, from, from + PAGE - 1)
    local id, job = first_in(ids, lane, refused)
    if id ~= nil then
      return id, job
    elseif #ids < PAGE then
      redis.call('HDEL', turns, LOOKED)
      return
    end
    from = from == 0 and on or from + PAGE
  end
  redis.call('HSET', turns, LOOKED, from)
end

-- Whoever arrives from now on joins the round of the job that was taken.
local function serve(id, job)
  local lane = job.lane
  local score = tonumber(redis.call('ZSCORE', key('ready', lane), id))
  unready(id, job)
  local round = math.floor(score % PRIORITY / ROUND)
  local turns = key('turns', lane) -- not there when that was the last one
  if redis.call('EXISTS', turns) == 1 and round > tonumber(redis.call('HGET', turns, '') or '0') then
    redis.call('HSET', turns, '', round)
  end
end

-- Lanes with something to do, the most urgent first.
local function lanes()
  local found = {}
  for _, lane in ipairs(redis.call('SMEMBERS', key('lanes'))) do
    local head = redis.call('ZRANGE', key('ready', lane), 0, 0, 'WITHSCORES')
    if #head > 0 then
      found[#found + 1] = { name = lane, score = tonumber(head[2]) }
    end
  end
  table.sort(found, function(one, other)
    return one.score < other.score
  end)
  return found
end

local function ready()
  local open = lanes()
  while #taken < most and #open > 0 do
    local left = {}
    for _, lane in ipairs(open) do
      local id, job = nil, nil
      if #taken < most and redis.call('SCARD', key('slot', lane.name)) < (limits[lane.name] or limits['*']) then
        id, job = first_of(lane.name)
      end
      if id ~= nil then
        serve(id, job)
        take(id, job, false)
        left[#left + 1] = lane
      end
    end
    open = left
  end
end

clip()
lapsed()
due()
if #taken < most then
  ready()
end
if #taken > 0 then
  return cjson.encode(taken)
end

local soonest = left_lapsed and LOOK_AGAIN or -1
for _, name in ipairs({ 'lease', 'delayed' }) do
  local head = redis.call('ZRANGEBYSCORE', key(name), '(' .. whole(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if #head > 0 and (soonest < 0 or tonumber(head[2]) - now < soonest) then
    soonest = math.max(tonumber(head[2]) - now, 0)
  end
end
local last = redis.call('XREVRANGE', key('ev'), '+', '-', 'COUNT', 1)
return { last[1] and last[1][1] or '0-0', soonest }
