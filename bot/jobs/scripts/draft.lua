-- A new job that holds its VM from now on, or the id of the one that does.
local op, ids, kind, vm_key, requester, channel, data, dedupe, priority, approval, why, lane = unpack(ARGV)
local now = now_ms()
local delivery = key('seen', 'command', dedupe)

local function remember(id)
  if dedupe ~= '' then
    redis.call('SET', delivery, id, 'PX', DELIVERY_KEPT)
  end
end

local id = nil
for _, candidate in ipairs(cjson.decode(ids)) do
  local job = read(candidate)
  if job == nil then
    id = id or candidate
  elseif job.op == op then
    return { candidate, 1, 1 } -- asked again because our answer was lost
  end
end

local earlier = dedupe ~= '' and redis.call('GET', delivery)
if earlier then
  return { earlier, 0, redis.call('HGET', key('job', earlier), 'delivery') == dedupe and 1 or 0 }
end

if vm_key ~= '' then
  local holder = redis.call('GET', key('vm', vm_key))
  if holder and redis.call('EXISTS', key('job', holder)) == 1 then
    remember(holder)
    return { holder, 0, 0 }
  end
end

if id == nil then
  return { '', 0, 0 }
end

if vm_key ~= '' then
  redis.call('SET', key('vm', vm_key), id)
end
remember(id)
local job = { lane = lane, priority = priority, requester = requester }
redis.call('HSET', key('job', id),
  'id', id, 'kind', kind, 'vm_key', vm_key, 'lane', job.lane, 'requester', requester, 'channel', channel,
  'fence', 0, 'owner', '', 'attempt', 0, 'created', whole(now), 'cancel_by', '', 'priority', priority,
  'needs', '[]', 'claims', 0, 'failures', 0, 'op', op, 'delivery', dedupe)
put_data(id, data)
step(id, 'drafted', requester, why, now)
act(id, 'draft', requester, why)
make_ready(id, job)
redis.call('ZADD', key('drafts'), whole(now + tonumber(approval)), id)
redis.call('ZADD', key('live'), whole(now), id)
redis.call('ZADD', key('jobs'), whole(now), id)
redis.call('ZREMRANGEBYSCORE', key('jobs'), '-inf', whole(now - 2 * JOB_KEPT))
return { id, 1, 1 }
