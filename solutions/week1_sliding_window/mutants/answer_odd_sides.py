"""task: 1.6
does: answers A, images with an odd side
hint: Max-pooling does drop the last line of an odd map. Follow that line down to the image: is
there a window of the sequential procedure that holds it?
"""

answer_1_6 = "A"
