# Blanks at the ends of lines stay in tracebacks; carets are left out only where they would mark the whole line, blanks included.
import sys

sys.stderr = sys.stdout
def f():
    1/0   
def g(): 
    f() ;  
def h():
    g()  # c  
def i():
	h()	 
def j():
    i()
try:
    j()
except ZeroDivisionError:
    sys.excepthook(*sys.exc_info())
