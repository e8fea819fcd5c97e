"""task: 5.7
does: trains with Adam at a constant rate of 0.003
"""


def train_detector(loader, epochs, loss):
    net = nn.Sequential(small_backbone(), SSDHead(64, NUM_CLASSES, width=64, drop=0.0))
    anchors, cells = make_anchors()
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(epochs):
        for images, boxes, labels in loader:
            activations, logits = net(images)
            every = boxes_from(activations, anchors, cells)
            classes, distance, count = [], 0.0, 0
            for n in range(len(images)):
                names, objects = match_anchors(boxes[n], labels[n], anchors)
                classes.append(names)
                if (names > 0).any():
                    distance += (every[n][names > 0] - boxes[n][objects[names > 0]]).abs().sum()
                    count += 4 * int((names > 0).sum())
            classes = torch.stack(classes)
            total = 20 * distance / max(count, 1)
            if loss == "focal":
                total = total + focal_loss(logits, classes)
            else:
                total = total + hard_negative_loss(logits, classes)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
    return net
