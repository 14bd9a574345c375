"""What the service keeps: customers, orders and their lines."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Customer:
    id: int
    name: str
    email: str

    def to_json(self):
        return {"id": self.id, "name": self.name, "email": self.email}


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int
    price_cents: int

    @property
    def total_cents(self):
        return self.quantity * self.price_cents

    def to_json(self):
        return {"sku": self.sku, "quantity": self.quantity, "price_cents": self.price_cents}


@dataclass(frozen=True)
class Order:
    id: int
    customer_id: int
    lines: tuple = field(default_factory=tuple)

    @property
    def total_cents(self):
        return sum(line.total_cents for line in self.lines)

    def to_json(self):
        return {
            "id": self.id,
            "customer": self.customer_id,
            "lines": [line.to_json() for line in self.lines],
            "total_cents": self.total_cents,
        }
