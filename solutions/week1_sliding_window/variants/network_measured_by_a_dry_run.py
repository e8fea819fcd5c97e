"""task: 1.2
does: finds the number of features by running the first layers on an empty image
"""


def build_network() -> nn.Module:
    front = nn.Sequential(nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    with torch.no_grad():
        features = front(torch.zeros(1, 3, WINDOW, WINDOW)).shape[1]
    head = [nn.Linear(features, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU()]
    return nn.Sequential(*front, *head, nn.Linear(400, CLASSES))
