-- Nothing has happened; but whoever waits for something shall look.
tell('', 'awake', '', '')
return 1
