"""What is known of a customer across channels and conversations, and forgetting it.

`contract` is what others are given; `keeping` remembers and recalls; `noticing` reads facts
from turns by the rules of ``data/memory.yml`` (`file`); `summing` has a language model sum
conversations up; `erasing` forgets a person everywhere.
"""
