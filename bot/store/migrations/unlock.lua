-- Only by who locked it: it may have taken too long, and be somebody else's by now.
if redis.call('GET', key('schema-lock')) == ARGV[1] then
  redis.call('DEL', key('schema-lock'))
end
return 1
