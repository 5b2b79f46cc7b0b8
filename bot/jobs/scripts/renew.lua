-- Leases that are still on file end later; one that was given away stays so. The answer: those that are lost.
local lease, claims = unpack(ARGV)
local now = now_ms()
local until_then = whole(now + tonumber(lease))
local lost = {}
for _, claim in ipairs(cjson.decode(claims)) do
  local id, fence = claim[1], claim[2]
  local has, claims, claimed = unpack(redis.call('HMGET', key('job', id), 'fence', 'claims', 'claimed'))
  if has == fence and redis.call('ZSCORE', key('lease'), id) then
    redis.call('ZADD', key('lease'), until_then, id)
    -- It does not kill its worker at once; of a suspect that is believed only after a while.
    if claims ~= '0' and (tonumber(claims) < SUSPECT or now - tonumber(claimed or now) > CLEARED_AFTER) then
      redis.call('HSET', key('job', id), 'claims', 0)
    end
  else
    lost[#lost + 1] = id
  end
end
return lost
