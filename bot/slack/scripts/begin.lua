-- A delivery came in. 'first': carry it out; 'resumed': carry it out, and know that a bot died over it before;
-- 'busy': another bot is at it; 'known': it was carried out, and this is what was said.

local kind, delivery, token, lease = unpack(ARGV)
local seen = key('seen', kind, delivery)
local now = now_ms()
local mark = redis.call('GET', seen)
local state = 'first'

if mark then
  local found = cjson.decode(mark)
  if found.said then
    return { 'known', found.said }
  elseif found.token == token then
    return { found.state, '' } -- asked again because our answer was lost
  elseif found.til > now then
    return { 'busy', '' }
  end
  state = 'resumed'
end
redis.call('SET', seen, cjson.encode({ token = token, til = now + tonumber(lease), state = state }), 'PX', tonumber(ARGV[5]))
return { state, '' }
