-- A delivery was carried out, and this was said. Whoever took it over meanwhile says something else.

local kind, delivery, token, said, keep = unpack(ARGV)
local seen = key('seen', kind, delivery)
local mark = redis.call('GET', seen)
if mark and cjson.decode(mark).token == token then
  redis.call('SET', seen, cjson.encode({ token = token, said = said }), 'PX', tonumber(keep))
  return 1
end
return 0
