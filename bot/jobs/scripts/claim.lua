-- The next job for this worker: lapsed leases, then what is due, then what is ready; or when to look again.
local worker, lease, limits, most_claims, given_up = unpack(ARGV)
limits = cjson.decode(limits)
local now = now_ms()

local function take(id, job, taken_over)
  redis.call('ZREM', key('delayed'), id)
  redis.call('ZREM', key('ready', job.lane), id)
  redis.call('SADD', key('slot', job.lane), id)
  redis.call('ZADD', key('lease'), whole(now + tonumber(lease)), id)
  redis.call('HSET', key('job', id), 'owner', worker, 'updated', whole(now))
  redis.call('HINCRBY', key('job', id), 'claims', 1)
  next_fence(id)
  if taken_over then
    step(id, job.state, worker, 'taken over from ' .. job.owner, now)
  end
  return { id, taken_over and 1 or 0, fields(id) }
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('lease'), '-inf', whole(now))) do
  local job = read(id)
  if job == nil then
    redis.call('ZREM', key('lease'), id)
  elseif tonumber(job.claims) >= tonumber(most_claims) then
    bury(id, job, worker, given_up, now)
  else
    return take(id, job, true)
  end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('delayed'), '-inf', whole(now))) do
  local job = read(id)
  if job ~= nil and (STARTED[job.state] or free(job.lane, limits)) then
    return take(id, job, false)
  end
  redis.call('ZREM', key('delayed'), id)
  if job ~= nil then
    make_ready(id, job, tonumber(job.created)) -- its lane is full: first in line when a slot comes free
  end
end

while true do
  local best, first = nil, nil
  for _, lane in ipairs(redis.call('SMEMBERS', key('lanes'))) do
    local head = redis.call('ZRANGE', key('ready', lane), 0, 0, 'WITHSCORES')
    if #head == 0 then
      redis.call('SREM', key('lanes'), lane)
    elseif free(lane, limits) and (best == nil or tonumber(head[2]) < best) then
      best, first = tonumber(head[2]), { lane = lane, id = head[1] }
    end
  end
  if first == nil then
    break
  end
  local job = read(first.id)
  if job ~= nil then
    return take(first.id, job, false)
  end
  redis.call('ZREM', key('ready', first.lane), first.id)
end

local soonest = -1
for _, name in ipairs({ 'lease', 'delayed' }) do
  local head = redis.call('ZRANGE', key(name), 0, 0, 'WITHSCORES')
  if #head > 0 and (soonest < 0 or tonumber(head[2]) - now < soonest) then
    soonest = math.max(tonumber(head[2]) - now, 0)
  end
end
local last = redis.call('XREVRANGE', key('ev'), '+', '-', 'COUNT', 1)
return { '', last[1] and last[1][1] or '0-0', soonest }
