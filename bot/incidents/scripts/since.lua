-- What was open at some time since a moment. ARGV: the moment, how many at most: the newest.
local since, most = ARGV[1], tonumber(ARGV[2])
local ids, seen = {}, {}
for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', ENDED, '+inf', since, 'LIMIT', 0, most)) do
  ids[#ids + 1] = id
  seen[id] = true
end
for _, id in ipairs(redis.call('ZREVRANGE', LIVE, 0, most - 1)) do
  if not seen[id] and not redis.call('ZSCORE', ENDED, id) then
    ids[#ids + 1] = id
  end
end
return records(ids)
