import atexit, sys
atexit.register(lambda: print("at exit"))
try:
    sys.exit(3)
finally:
    print("finally")
