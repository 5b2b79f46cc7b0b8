-- An incident has a message now; whoever says so first decides where. ARGV: id, channel. Returns its hash.
local id, channel = unpack(ARGV)
local record = key('incident', id)
if redis.call('HEXISTS', record, 'state') == 0 then
  return {}
end
if redis.call('HSETNX', record, 'channel', channel) == 1 then
  redis.call('HSET', record, 'spoken', whole(now_ms()), 'hushed', '')
end
return redis.call('HGETALL', record)
