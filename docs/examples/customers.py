"""Writes a made table of customers who left or stayed: python3 customers.py > customers.csv"""

import math
import random

random.seed(7)
print("customer,age,income,home owner,plan,support calls,churn")
for customer in range(1, 6001):
    age = random.randint(18, 80)
    income = round(random.lognormvariate(10.4, 0.5))
    owner = random.choice(["yes", "no"])
    plan = random.choice(["basic", "plus", "family"])
    calls = random.randint(0, 12)
    pull = 0.45 * calls - 0.00003 * income - 1.2 + (1.0 if plan == "basic" else 0.0) - (1.0 if owner == "yes" else 0.0)
    left = 1 / (1 + math.exp(-3 * pull)) > random.random()
    shown = "" if random.random() < 0.05 else income
    print(f"C{customer:04},{age},{shown},{owner},{plan},{calls},{'left' if left else 'stayed'}")
