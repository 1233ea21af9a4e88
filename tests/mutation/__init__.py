"""How much of the core the tests would miss: seeded small defects, and whether any test notices each of them.

    python -m tests.mutation --sample 200 --seed 1

Texts are left alone: what a message says is for people to review. The simulator's tests take no part, so that what is
measured is what the tests written for the core themselves hold.
"""
