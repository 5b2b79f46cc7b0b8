-- Why an incident has no message, unless it has one. ARGV: id, why.
local record = key('incident', ARGV[1])
if redis.call('HEXISTS', record, 'state') == 1 and redis.call('HEXISTS', record, 'channel') == 0 then
  redis.call('HSET', record, 'hushed', ARGV[2])
end
return 1
