//! A simulated broker: asynchronous, with fees, reservations and scripted faults, and with its ground truth.
