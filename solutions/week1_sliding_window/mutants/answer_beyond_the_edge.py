"""task: 1.6
does: answers D, images with more than one window
hint: Choose one output cell of the twin and mark which pixels it depends on. Without padding, does
any of them lie outside its window?
"""

answer_1_6 = "D"
